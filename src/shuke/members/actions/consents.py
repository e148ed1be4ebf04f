"""What members agreed to, per channel and purpose: append-only statements, the latest of which holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.kit import bulk, ids
from shuke.shops.models import Merchant


class Statement(NamedTuple):
    """A consent or its withdrawal, as given."""

    member_id: int
    channel: str  # sms | email | wecom | phone | post | any
    purpose: str  # order | care | promotion | new_goods | event | survey
    granted: bool
    at: datetime
    source: str  # where it was given: "import:<batch>", "counter", "portal", "reply"
    wording: str = ""  # version of the text agreed to
    actor: str = ""
    evidence: str = ""


UNDONE = "undone:"  # source of what an undo answers to the statements of its file


def consent(*, merchant: Merchant, statements: Sequence[Statement], now: datetime) -> int:
    """Append statements; returns how many were new.

    Each is proof of what was said at its moment, so all are kept, also those that repeat what already held: an older
    file may still come and say otherwise for the time between. Only the very same statement again is left out, and
    one without a moment of its own (made `now` or later) that changes nothing: the same file again adds no line.
    """
    if not statements:
        return 0
    with transaction.atomic():
        condition, parameter = bulk.among("member_id", sorted({s.member_id for s in statements}))
        history: dict[tuple[int, str, str], list[tuple[datetime, bool, str]]] = {}
        for member, channel, purpose, granted, at, source in bulk.select(
            f"SELECT member_id, channel, purpose, granted, at, source FROM members_consent WHERE merchant_id = %s AND {condition} "
            "ORDER BY at, id",
            [merchant.id, parameter],
        ):
            moment = bulk.read_moment(at)
            assert moment is not None
            history.setdefault((member, channel, purpose), []).append((moment, bool(granted), source))
        new = []
        for statement in sorted(statements, key=lambda s: s.at):
            moment = min(statement.at, now)
            known = history.setdefault((statement.member_id, statement.channel, statement.purpose), [])
            held = [granted for at, granted, _ in known if at <= moment]
            again = (moment, statement.granted) in [(at, granted) for at, granted, _ in known]
            if again and known[-1][2].startswith(UNDONE) and known[-1][1] != statement.granted:
                moment, again = now, False  # the file that was taken back is told again: it holds from now on
            redundant = statement.at >= now and held and held[-1] == statement.granted
            if not redundant and not again:
                known.append((moment, statement.granted, statement.source))
                known.sort(key=lambda entry: entry[0])
                new.append(statement._replace(at=moment))
        if new:
            write = bulk.moment()
            bulk.insert(
                "members_consent",
                ("id", "merchant_id", "member_id", "channel", "purpose", "granted", "at", "source", "wording", "actor", "evidence"),
                [
                    (id, merchant.id, s.member_id, s.channel[:12], s.purpose[:12], s.granted, write(s.at), s.source[:60],
                     s.wording[:40], s.actor[:60], s.evidence)
                    for id, s in zip(ids.take(len(new)), new, strict=True)
                ],
            )  # fmt: skip
    return len(new)
