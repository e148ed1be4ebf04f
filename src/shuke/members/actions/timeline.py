"""Writing on members' timelines, and reading on behalf of the rooms above (docs/architecture.md).

The timeline is the bus: a room that must be heard above writes a line in its own transaction; the room above claims
unread lines when it is ready.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Note(NamedTuple):
    """One line to be written. `body` holds figures and codes, never personal data."""

    member_id: int
    at: datetime  # when it happened
    kind: str  # joined | order.paid | tier.up | …, at most 24 characters
    ref: str = ""  # what it is about: "order:<store>:<number>", "batch:<id>"
    body: Mapping[str, Any] | None = None


class Claimed(NamedTuple):
    """A line handed to the room that claimed it; of somebody merged since, the survivor is named."""

    id: int
    member_id: int
    at: datetime
    noted_at: datetime
    kind: str
    ref: str
    body: dict[str, Any]


def note(*, merchant: Merchant, lines: Sequence[Note], now: datetime) -> None:
    """Append lines to the timelines of their members, in the caller's transaction."""
    if not lines:
        return
    write, noted, merchant_id = bulk.moment(), bulk.moment()(now), merchant.id
    with transaction.atomic(savepoint=False):  # without one, SQLite would sync the disk after every line
        bulk.insert(
            "members_timeline",
            ("id", "merchant_id", "member_id", "at", "noted_at", "kind", "ref", "body"),
            [
                (id, merchant_id, member, write(at), noted, kind, ref, _encode(body) if body else "{}")
                for id, (member, at, kind, ref, body) in zip(ids.take(len(lines)), lines, strict=True)
            ],
        )


def note_alike(
    *,
    merchant: Merchant,
    kind: str,
    forms: Sequence[tuple[datetime, str, Mapping[str, Any]]],
    lines: Sequence[tuple[int, int]],
    now: datetime,
) -> None:
    """Append lines of which many say the same: a line is a member and the place in `forms` of its moment, ref and body."""
    write, noted, merchant_id = bulk.moment(), bulk.moment()(now), merchant.id
    said = [(write(at), ref, _encode(body)) for at, ref, body in forms]
    rows = []
    for id, (member, form) in zip(ids.take(len(lines)), lines, strict=True):
        at, ref, body = said[form]
        rows.append((id, merchant_id, member, at, noted, kind, ref, body))
    with transaction.atomic(savepoint=False):
        bulk.insert(
            "members_timeline", ("id", "merchant_id", "member_id", "at", "noted_at", "kind", "ref", "body"), rows
        )


def note_found(
    *, merchant: Merchant, kind: str, found: str, parameters: Sequence[Any], count: int, now: datetime
) -> None:
    """Append a line for each row of a query, without bringing the rows here: n (from 0 below `count`), member_id, at, ref
    and body, a JSON text. In the caller's transaction, like `note`."""
    fresh, numbers = ids.numbering("found.n", count)
    body = "CAST(found.body AS jsonb)" if bulk.is_postgres() else "found.body"
    bulk.execute(
        "INSERT INTO members_timeline (id, merchant_id, member_id, at, noted_at, kind, ref, body) "
        f"SELECT {fresh}, %s, found.member_id, found.at, %s, %s, found.ref, {body} FROM ({found}) AS found",
        [*numbers, merchant.pk, bulk.moment()(now), kind, *parameters],
    )


def claim(*, merchant: Merchant, kinds: Sequence[str], limit: int, now: datetime) -> list[Claimed]:
    """Take up to `limit` unread lines of these kinds, oldest first; nobody else gets them.

    A conditional update, never "after the last id I saw": a slow transaction can commit behind a fast reader. Act in
    the same transaction, so that a crash gives the lines back.
    """
    marks = ", ".join(["%s"] * len(kinds))
    skip = "FOR UPDATE SKIP LOCKED" if bulk.is_postgres() else ""
    # MATERIALIZED: or PostgreSQL may run the limited query again for every row, and claim more than was asked for.
    rows = bulk.select(
        "WITH unread AS MATERIALIZED (SELECT id FROM members_timeline WHERE merchant_id = %s "
        f"AND kind IN ({marks}) AND claimed_at IS NULL ORDER BY id LIMIT %s {skip}) "
        "UPDATE members_timeline SET claimed_at = %s WHERE claimed_at IS NULL AND id IN (SELECT id FROM unread) "
        "RETURNING id, member_id, at, noted_at, kind, ref, body",
        [merchant.id, *kinds, limit, bulk.moment()(now)],
    )
    moved = survivors_of(merchant.id, {row[1] for row in rows})
    lines = []
    for id, member, at, noted_at, kind, ref, body in rows:
        happened, noted = bulk.read_moment(at), bulk.read_moment(noted_at)
        assert happened is not None
        assert noted is not None
        lines.append(
            Claimed(
                id,
                moved.get(member, member),
                happened,
                noted,
                kind,
                ref,
                body if isinstance(body, dict) else json.loads(body),
            )
        )
    return sorted(lines)
