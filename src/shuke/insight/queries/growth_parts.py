"""How a shop is divided into stores, channels or ways of acquisition, and what the parts are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from shuke.engine.insight.growth import GUESTS, Parts
from shuke.insight.queries.bought import day_number
from shuke.insight.queries.order_columns import fetch
from shuke.kit import bulk
from shuke.members.models import MemberState
from shuke.shops import queries as shops
from shuke.shops.models import Merchant, Store

DIVISIONS = ("", "store", "channel", "acquisition")
NONE = "-"  # the key of those without a store, a channel, a way of acquisition
GUEST_KEY = "guests"


class Part(NamedTuple):
    """A part of the shop. `key` as addresses write it: store id, platform, way; "" for the whole shop. `name` "" where it has none."""

    number: int
    key: str
    name: str


class Living(NamedTuple):
    """The living members by columns: the days they joined, their home stores (0: none), and the places of their ways in `ways`."""

    member: np.ndarray
    joined: np.ndarray
    home: np.ndarray
    way: np.ndarray
    ways: list[str]


class Division(NamedTuple):
    """`keys` of parts by their number."""

    by: str
    parts: Parts
    keys: dict[int, str]


def living(merchant: Merchant) -> Living:
    here = "merchant_id = %s AND state = %s"
    who: list = [merchant.pk, MemberState.ACTIVE]
    day, more = day_number(merchant, "members_member", "joined_at", here, who)
    table = fetch(
        f"SELECT id, {day}, COALESCE(home_store_id, 0) FROM members_member WHERE {here}",
        [*more, *who],
        ("member", "joined", "home"),
    )
    numbers: dict[str, int] = {"": 0}
    told = bulk.select(f"SELECT id, acquired_by FROM members_member WHERE {here} AND acquired_by > ''", who)
    way = np.zeros(table["member"].size, np.int64)
    if told and way.size:  # most shops know it of few
        place = np.array([numbers.setdefault(name, len(numbers)) for _member, name in told])
        order = np.argsort(table["member"], kind="stable")
        whose = np.array([member for member, _name in told])
        at = np.minimum(np.searchsorted(table["member"], whose, sorter=order), way.size - 1)
        here = table["member"][order[at]] == whose  # who joined this moment is left for the next night
        way[order[at[here]]] = place[here]
    return Living(table["member"], table["joined"], table["home"], way, list(numbers))


def divided(stores: Iterable[Store], people: Living, by: str) -> Division:
    """Parts are numbered from 1 in the order of their names; 0: the whole shop, or what belongs to none."""
    nothing = np.zeros(0, np.int64)
    if by == "":
        return Division(
            by, Parts(nothing, nothing, people.member, np.zeros(people.member.size, np.int64), False), {0: ""}
        )
    if by == "acquisition":
        place = {way: i for i, way in enumerate(sorted(set(people.ways) - {""}), start=1)} | {"": 0}
        mine = np.array([place[way] for way in people.ways], np.int64)[people.way]
        keys = {number: way or NONE for way, number in place.items()} | {GUESTS: GUEST_KEY}
        return Division(by, Parts(nothing, nothing, people.member, mine, True), keys)
    name_of = {store.id: store.platform if by == "channel" else str(store.id) for store in stores}
    place = {name: i for i, name in enumerate(dict.fromkeys(sorted(name_of.values())), start=1)}
    ids = np.array(sorted(name_of), np.int64)
    numbers = np.array([place[name_of[one]] for one in ids.tolist()], np.int64)
    mine = np.zeros(people.member.size, np.int64)
    if ids.size:
        at = np.minimum(np.searchsorted(ids, people.home), ids.size - 1)
        mine = np.where(ids[at] == people.home, numbers[at], 0)
    keys = {number: name for name, number in place.items()} | {0: NONE}
    return Division(by, Parts(ids, numbers, people.member, mine, False), keys)


def named(merchant: Merchant, by: str, keys: dict[int, str]) -> dict[int, Part]:
    """The parts by number, called what they are called now."""
    stores = {str(store.id): store.name for store in shops.stores(merchant)} if by == "store" else {}
    nameless = {NONE: "", GUEST_KEY: ""} if by else {"": ""}

    def name(number: int, key: str) -> str:
        return nameless[key] if number in (0, GUESTS) else stores.get(key, key)

    return {number: Part(number, key, name(number, key)) for number, key in keys.items()}
