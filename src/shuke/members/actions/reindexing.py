"""The blind indexes climb to the newest master key, in small transactions that can be killed between any two.

Of most values only the hash is kept, so the hash of the new key is made of the old one's. From `_begin` on everybody writes
the newest form and looks for every form in use; whoever wrote under the former rule has ended by then (writers share a lock
that it takes alone), so that one walk over each table meets all rows that are left. Of one contact's value all rows climb together:
equal ones are compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.db import transaction

from shuke.kit import bulk, crypto
from shuke.members.actions.writing import climb_contacts, post
from shuke.members.queries.keys import WRITERS, Span

PER_TRANSACTION = 1000
Progress = Callable[[int], None]


def reindex(*, progress: Progress | None = None) -> int:
    """Bring every row of identities, contacts and the phone search under the newest key; how many there were to bring."""
    tell = progress or (lambda n: None)
    span = _begin()
    if span.lowest == span.newest:
        return 0
    done = 0
    for (merchant,) in bulk.select("SELECT id FROM shops_merchant ORDER BY id", []):
        for climb in (_identities, _contacts):
            done += _walk(climb, merchant, span, tell)
        done += _phones(merchant, span, tell)
    with transaction.atomic():
        bulk.execute(
            "UPDATE kit_index_keys SET lowest = %s WHERE id = %s AND newest = %s", [span.newest, 1, span.newest]
        )
    return done


def _begin() -> Span:
    """From now on the newest key is written with."""
    target = crypto.newest_version()
    with transaction.atomic():
        if bulk.is_postgres():
            bulk.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS])
        bulk.insert_new("kit_index_keys", ("id", "lowest", "newest"), [(1, 1, 1)])
        bulk.execute("UPDATE kit_index_keys SET newest = %s WHERE id = %s AND newest < %s", [target, 1, target])
        ((lowest, newest),) = bulk.select("SELECT lowest, newest FROM kit_index_keys WHERE id = %s", [1])
    return Span(lowest, newest)


def _walk(climb: Callable[[int, Span, int], tuple[int, int]], merchant: int, span: Span, tell: Progress) -> int:
    done, last = 0, 0
    while True:
        with transaction.atomic():
            count, last = climb(merchant, span, last)
        if not count:
            return done
        done += count
        tell(count)


def _behind(table: str, merchant: int, span: Span, last: int) -> list[tuple[int, str, bytes, int]]:
    lock = " FOR NO KEY UPDATE" if bulk.is_postgres() else ""
    return bulk.select(  # "+": by id. The planner would rather read all of the merchant's rows and sort them.
        f"SELECT id, kind, blind, generation FROM {table} WHERE +merchant_id = %s AND generation < %s AND id > %s "
        f"ORDER BY id LIMIT %s{lock}",
        [merchant, span.newest, last, PER_TRANSACTION],
    )  # type: ignore[return-value]


@lru_cache(maxsize=100)
def _climber(kind: str, merchant: int, start: int, end: int) -> Callable[[bytes], bytes]:
    return crypto.climber(kind, merchant, start, end)


def _identities(merchant: int, span: Span, last: int) -> tuple[int, int]:
    rows = _behind("members_identity", merchant, span, last)
    climbed = [(_climber(kind, merchant, was, span.newest)(bytes(b)), span.newest, id) for id, kind, b, was in rows]
    bulk.update("members_identity", ("blind", "generation"), climbed)
    return len(rows), rows[-1][0] if rows else 0


def _contacts(merchant: int, span: Span, last: int) -> tuple[int, int]:
    rows = _behind("members_contact", merchant, span, last)
    steps = [(kind, bytes(b), _climber(kind, merchant, was, span.newest)(bytes(b))) for _, kind, b, was in rows]
    climb_contacts(merchant, span.newest, steps)
    return len(rows), rows[-1][0] if rows else 0


def _phones(merchant: int, span: Span, tell: Progress) -> int:
    """There are twenty thousand pieces in all: which digits a row stands for is known, so it is simply made anew."""
    texts = [mark + f"{n:04d}" for mark in ("", "$") for n in range(10_000)]
    old = {
        crypto.gram(text, merchant, generation): (text, generation)
        for generation in range(span.lowest, span.newest)
        for text in texts
    }
    lock = " FOR UPDATE" if bulk.is_postgres() else ""
    done, after = 0, (b"", b"")
    while True:
        with transaction.atomic():
            rows = [
                (bytes(gram), bytes(posting))
                for gram, posting in bulk.select(
                    "SELECT gram, posting FROM members_phone_gram WHERE merchant_id = %s AND (gram, posting) > (%s, %s) "
                    f"ORDER BY gram, posting LIMIT %s{lock}",
                    [merchant, *after, PER_TRANSACTION],
                )
            ]
            if not rows:
                return done
            after, behind = rows[-1], [(gram, posting) for gram, posting in rows if gram in old]
            pairs: list[tuple[bytes, int]] = []
            for gram, posting in behind:
                text, generation = old[gram]
                fresh = crypto.gram(text, merchant, span.newest)
                pairs += [(fresh, member) for member in crypto.posted(gram, [posting], merchant, generation)]
                bulk.execute(
                    "DELETE FROM members_phone_gram WHERE merchant_id = %s AND gram = %s AND posting = %s",
                    [merchant, gram, posting],
                )
            post(merchant, pairs, span.newest)
        done += len(behind)
        tell(len(behind))
