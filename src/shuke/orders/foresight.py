"""What recording would do, without doing it: the preview of an import, for files of any length.

It weighs statements exactly like recording does (actions/weighing.py). What the file itself has said about an order so
far lies in a scratch database on disk, so memory does not grow with the file.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shuke.engine.facts import Order as OrderFact
from shuke.engine.facts import Refund as RefundFact
from shuke.orders import merging, refund_merging
from shuke.orders.actions import naming, rows
from shuke.orders.actions import refunds as documents
from shuke.orders.actions.rows import Stored
from shuke.orders.actions.weighing import (
    Key,
    Known,
    Outcome,
    Place,
    look_up,
    numbering_store,
    put_together,
    refunds_of,
    store_keys,
    weigh,
)
from shuke.orders.told_twice import Twice, told_twice


class _Store(NamedTuple):
    """A store that would be made. Ids below zero belong to nothing in the database."""

    id: int
    platform: str
    code: str


class Foreseen(NamedTuple):
    """What would become of one order."""

    outcome: Outcome
    again: bool
    oddities: tuple[str, ...]


class Foresight:
    """Carries a preview from chunk to chunk. Use as a context manager: it has a scratch file to clear away."""

    def __init__(self, merchant_id: int, stores: Mapping[tuple[str, str], Place]) -> None:
        self.merchant_id = merchant_id
        self.stores: dict[tuple[str, str], Place] = dict(stores)
        self._scratch = sqlite3.connect("")  # a temporary file that goes when it is closed
        self._scratch.execute("CREATE TABLE said (place TEXT PRIMARY KEY, id INTEGER, digest BLOB, known BLOB)")
        self._scratch.execute("CREATE TABLE line (place TEXT PRIMARY KEY, number TEXT) WITHOUT ROWID")
        self._documents: dict[Key, refund_merging.Known] = {}
        self._twice: set[int] = set()
        self._unborn = 0

    def __enter__(self) -> Foresight:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.close()

    def orders(self, orders: Sequence[OrderFact], member_ids: Sequence[int | None]) -> tuple[list[Foreseen], int]:
        """What `take_orders` would make of these: one answer per order, and how many say what was last said."""
        if not orders:
            return [], 0
        self._name_stores(orders)
        digests = [merging.digest_of(order) for order in orders]
        keys = [self._key(o.platform, o.shop, o.store_code, o.number) for o in orders]
        overlay, known = self._look_up(keys)
        fresh = [i for i, key in enumerate(keys) if key not in known or known[key].digest != digests[i][0]]
        asked = put_together(
            [orders[i] for i in fresh], [member_ids[i] for i in fresh], self.stores, [digests[i] for i in fresh]
        )
        given_back = refunds_of(self.merchant_id, [key for key in asked if key[0] > 0])
        again = [
            known[k].id for k, a in asked.items() if k in known and k not in overlay and known[k].digest != a.digest()
        ]
        stored = rows.load(self.merchant_id, again)
        for key, ask in asked.items():
            if key in overlay and known[key].digest != ask.digest():
                said = overlay[key]
                body = rows.laid_out(said, merging.drawn(said, *given_back.get(key, (0, None))), known[key].digest)
                stored[known[key].id] = Stored(known[key].id, key[0], key[1], None, None, body, said)
        found = []
        keep = []
        lines: list[tuple[str, str]] = []
        for one in weigh(asked, {k: v for k, v in known.items() if k in asked}, stored, given_back):
            found.append(Foreseen(one.outcome, one.before is not None and one.key in overlay, one.oddities))
            if one.known is not None and one.body is not None and (one.before is None or one.moved):
                keep.append((_place(one.key), self._id(one.order_id), one.ask.digest(), _packed(one.known)))
            if one.known is not None:
                subs = {line.sub_number[:60] for line in one.known.line_facts or () if line.sub_number}
                lines += [(_place((one.key[0], sub)), one.key[1]) for sub in subs]
        self._scratch.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?)", keep)
        self._scratch.executemany("INSERT OR REPLACE INTO line VALUES (?, ?)", lines)
        return found, len(orders) - len(fresh)

    def refunds(self, refunds: Sequence[RefundFact]) -> tuple[int, int, int, int, list[Twice]]:
        """New, changed, same; how many of the new ones would wait for their order, and which may have been told before."""
        if not refunds:
            return 0, 0, 0, 0, []
        self._name_stores(refunds)
        stated: dict[Key, refund_merging.Known] = {}
        for refund in refunds:
            key = self._key(refund.platform, refund.shop, "", refund.number)
            this = refund_merging.said(refund)
            stated[key] = refund_merging.merged(stated[key], this) if key in stated else this
        unseen = [key for key in stated if key not in self._documents and key[0] > 0]
        known = {k: documents.known_of(r) for k, r in documents.known_documents(self.merchant_id, unseen).items()}
        known.update({key: self._documents[key] for key in stated if key in self._documents})
        there = self._there({(key[0], one.mark.number) for key, one in stated.items()})
        fresh = {key: one for key, one in stated.items() if key not in known and key[0] > 0}
        meant = naming.orders_named(self.merchant_id, {(key[0], one.mark.number) for key, one in fresh.items()})
        unknown = {
            key: (meant.get((key[0], one.mark.number), (None, one.mark.number))[1], one) for key, one in fresh.items()
        }
        twice = told_twice(self.merchant_id, unknown, stated, self._twice)
        new = changed = same = parked = 0
        for key, one in stated.items():
            if key not in known:
                new += 1
                parked += (key[0], one.mark.number) not in there
                self._documents[key] = one
                continue
            both = refund_merging.merged(known[key], one)
            changed += both != known[key]
            same += both == known[key]
            self._documents[key] = both
        return new, changed, same, parked, twice

    def _there(self, named: set[Key]) -> set[Key]:
        """Those of the numbers, of orders or of their lines, that the file itself or the database knows."""
        found = set(self._look_up(sorted(named))[1])
        for key in named - found:
            if self._scratch.execute("SELECT 1 FROM line WHERE place = ?", (_place(key),)).fetchone():
                found.add(key)
        unseen = {key for key in named - found if key[0] > 0}
        return found | set(naming.orders_named(self.merchant_id, unseen)) if unseen else found

    def _look_up(self, keys: Sequence[Key]) -> tuple[dict[Key, merging.Known], dict[Key, Known]]:
        """What the file itself has said so far, and all orders known by it or by the database."""
        overlay: dict[Key, merging.Known] = {}
        known: dict[Key, Known] = {}
        for key in dict.fromkeys(keys):
            row = self._scratch.execute("SELECT id, digest, known FROM said WHERE place = ?", (_place(key),)).fetchone()
            if row is not None:
                overlay[key] = _unpacked(row[2])
                known[key] = Known(row[0], row[1], overlay[key].values[19])
        known.update(look_up(self.merchant_id, [k for k in keys if k not in overlay and k[0] > 0]))
        return overlay, known

    def _name_stores(self, facts: Sequence[OrderFact] | Sequence[RefundFact]) -> None:
        wanted = set(store_keys(f for f in facts if isinstance(f, OrderFact)))
        wanted |= {numbering_store(f.platform, f.shop) for f in facts if isinstance(f, RefundFact)}
        for place in sorted(wanted - self.stores.keys()):
            self.stores[place] = _Store(self._id(None), *place)

    def _key(self, platform: str, shop: str, store_code: str, number: str) -> Key:
        return self.stores[numbering_store(platform, shop, store_code)].id, number[:60]

    def _id(self, order_id: int | None) -> int:
        if order_id is None:
            self._unborn -= 1
            return self._unborn
        return order_id


def _place(key: Key) -> str:
    return f"{key[0]}:{key[1]}"


def _packed(known: merging.Known) -> bytes:
    return pickle.dumps((known.values, known.at, known.was_paid, tuple(known.sums), known.older), 5)


def _unpacked(blob: bytes) -> merging.Known:
    values, at, was_paid, sums, older = pickle.loads(blob)  # from our own scratch file
    return merging.Known(values, at, was_paid, merging.Sums(*sums), older)
