"""The hash chains over postings, and what a seal of that of points covers, as text that is the same on every engine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from django.db.models import Max, Sum

from shuke.kit import bulk, ids
from shuke.loyalty.models import Seal, StoredSeal
from shuke.shops.models import Merchant

ALWAYS = 1 << 62
# A posting is written soon after its id was made. What took longer than this is found by counting.
_LOOK_BACK = ids.MILLISECOND * 3600_000


Link = TypeVar("Link", Seal, StoredSeal)


@dataclass(frozen=True)
class Chain(Generic[Link]):
    """One hash chain: over whose postings, of which links. Points have one, stored value another (queries/stored/chain.py)."""

    txn: str  # the table of postings
    seals: type[Link]
    content_of: Callable[[Merchant, int, int | None, int | None], Iterable[str]]

    def unsealed(self, merchant: Merchant, limit: int, *, count: bool = True) -> list[int]:
        """Postings that no seal covers yet, oldest first. No index keeps them: every credit would pay for it. They are looked
        for at the end, and everywhere if `count` finds that more are missing."""
        reached, sealed = self._reached(merchant)
        sql = f"SELECT id FROM {self.txn} WHERE +merchant_id = %s AND seal IS NULL AND id > %s ORDER BY id LIMIT %s"
        found = bulk.select(sql, [merchant.pk, reached - _LOOK_BACK, limit])
        if len(found) < limit and count and self._posted(merchant) > sealed + len(found):
            found = bulk.select(sql, [merchant.pk, 0, limit])
        return [pk for (pk,) in found]

    def are_left_behind(self, merchant: Merchant) -> bool:
        """Are more postings without a seal than are looked for at the end? Counted first, so that what tills post meanwhile
        is none."""
        posted = self._posted(merchant)
        reached, sealed = self._reached(merchant)
        [(at_the_end,)] = bulk.select(
            f"SELECT COUNT(*) FROM {self.txn} WHERE +merchant_id = %s AND seal IS NULL AND id > %s",
            [merchant.pk, reached - _LOOK_BACK],
        )
        return posted > sealed + int(at_the_end)

    def links(self, merchant: Merchant, *, since: int = 0) -> list[Link]:
        """Seals in their order; `since`: from this one on."""
        return list(self.seals.objects.filter(merchant=merchant, number__gte=since).order_by("number"))

    def faults(self, merchant: Merchant, before: Link | None, seal: Link) -> Iterable[str]:
        """What is wrong with one link: does it follow the one before, and is what it covers as it was sealed?"""
        previous = b"\0" * 32 if before is None else bytes(before.digest)
        number = 1 if before is None else before.number + 1
        if seal.number != number or bytes(seal.previous) != previous:
            yield f"seal {seal.number} does not follow seal {number - 1}"
        covered = self.content_of(merchant, seal.number, seal.first_id, seal.last_id)
        if digest_of(previous, covered) != bytes(seal.digest):
            yield f"what seal {seal.number} covers was changed after sealing"

    def _reached(self, merchant: Merchant) -> tuple[int, int]:
        """The last posting that is sealed, and how many are."""
        told = self.seals.objects.filter(merchant=merchant).aggregate(last=Max("last_id"), sealed=Sum("count"))
        return told["last"] or 0, told["sealed"] or 0

    def _posted(self, merchant: Merchant) -> int:
        [(count,)] = bulk.select(f"SELECT COUNT(*) FROM {self.txn} WHERE merchant_id = %s", [merchant.pk])
        return int(count)


def content_of(merchant: Merchant, number: int, first: int | None, last: int | None) -> Iterable[str]:
    """Every posting of a seal with its legs and uses as text lines, in id order; the same on both engines."""
    first, last = first or 0, last or ALWAYS
    # PostgreSQL has a moment's seconds at hand; SQLite's are read from text, and its text may be anybody's.
    at = "CAST(EXTRACT(epoch FROM at) AS text)" if bulk.is_postgres() else "at"
    for begins, moment, why, growth in bulk.select(
        "SELECT 't|' || id || '|' || key || '|' || kind || '|' || COALESCE(CAST(member_id AS text), 'None'), "
        f"{at}, why, growth FROM loyalty_txn WHERE +merchant_id = %s AND seal = %s AND id BETWEEN %s AND %s ORDER BY id",
        [merchant.pk, number, first, last],
    ):
        stamp = moment if isinstance(moment, str) else f"{moment.timestamp():.6f}"
        grown = "" if growth is None else f"|growth {growth}"
        yield f"{begins}|{stamp}|{_text(why)}{grown}"
    for table, line in _LINES.items():
        for (told,) in bulk.select(
            # Both tables are told the span of ids, and the legs' index begins with the merchant: else all of them are looked at.
            f"SELECT {line} FROM loyalty_txn t JOIN loyalty_{table} x ON x.merchant_id = t.merchant_id AND x.txn_id = t.id "
            "WHERE t.merchant_id = %s AND t.seal = %s AND t.id BETWEEN %s AND %s AND x.merchant_id = %s "
            "AND x.txn_id BETWEEN %s AND %s ORDER BY x.txn_id, x.id",
            [merchant.pk, number, first, last, merchant.pk, first, last],
        ):
            yield told


# Written by the database, as what comes of a posting is: these are the most.
_LINES = {
    "entry": "'e|' || x.txn_id || '|' || x.account || '|' || x.amount || '|' || COALESCE(CAST(x.seq AS text), 'None') "
    "|| '|' || COALESCE(CAST(x.balance_after AS text), 'None')",
    "use": "'u|' || x.txn_id || '|' || x.lot_id || '|' || x.kind || '|' || x.amount",
}

_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_PAIR = r'"\w+": ?(?:"(?:[^"\\,:][^"\\,]*)?"|0|-?[1-9]\d*)'
_plain = re.compile(f"{_PAIR}(?:, ?{_PAIR})*").fullmatch


def _text(why: object) -> str:
    """JSON in one spelling: PostgreSQL keeps its own.

    Nearly all of it is a list of flat objects, and is rewritten object by object without being read. Cut at what stands between
    two objects, a list falls apart into whole ones, or else the first piece ends within a text or within a list and is no JSON.
    """
    if isinstance(why, str) and why.startswith("[{") and why.endswith("}]"):
        try:
            return "[{" + "},{".join(map(_inside, why[2:-2].split("}, {" if "}, {" in why else "},{"))) + "}]"
        except ValueError:
            pass
    return _canonical(json.loads(why) if isinstance(why, str) else why)


@lru_cache(maxsize=4096)  # most of what is told of a sale is told of others, too
def _inside(told: str) -> str:
    """An object without its braces. Names and short values: those that hold nothing which could be taken for a mark."""
    if not _plain(told):
        return _canonical(json.loads("{" + told + "}"))[1:-1]
    pairs = told.replace('": ', '":').replace(', "', ',"')[1:].split(',"')
    pairs.sort()  # as their names would: a name ends with a quotation mark, which comes before whatever is in one
    return '"' + ',"'.join(pairs)


def digest_of(previous: bytes, lines: Iterable[str]) -> bytes:
    digest = hashlib.sha256(previous)
    told = "\n".join(lines)
    if told:
        digest.update(told.encode())
        digest.update(b"\n")
    return digest.digest()


POINTS = Chain("loyalty_txn", Seal, content_of)
