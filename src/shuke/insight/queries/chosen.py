"""Whom the filters of a list let through: a bool for each of the crowd, worked out from columns in memory.

What the night stored (scores, what is expected, profit) comes from its copies (queries/at_hand.py), who and where people are, tier
and points from the crowd, which is up to this moment (queries/crowd.py). Only what orders, lots and movements tell is asked of the
database (queries/by_history.py). Of a million members each filter takes a thousandth of a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from shuke.engine.insight import chances
from shuke.engine.insight.port import Columns
from shuke.insight.models import OfDay
from shuke.insight.queries import profit_columns, score_columns, value
from shuke.insight.queries.at_hand import Told, at_hand
from shuke.insight.queries.by_history import by_history
from shuke.insight.queries.coded import Texts
from shuke.insight.queries.crowd import Crowd
from shuke.insight.queries.filters import DORMANT_DAYS, NOT_STATED, Filters, period
from shuke.kit import clock
from shuke.shops.models import Merchant, Store

_EVERY = np.iinfo(np.int64).max
_OF_PROFIT = (*profit_columns.NAMES, "year_profit_minor", *(f"year_{kind}_minor" for kind in profit_columns.KINDS))
_UNKNOWN = {"": "", "none": "", "unknown": ""}  # as addresses say that there is none


class Known:
    """What is known of the crowd of a merchant; each table is looked at when it is first asked for."""

    def __init__(self, merchant: Merchant, crowd: Crowd) -> None:
        self.merchant, self.crowd = merchant, crowd

    @cached_property
    def score(self) -> Told:
        latest = score_columns.latest(self.merchant)
        return self._told(score_columns.TABLE, latest, lambda: score_columns.read(self.merchant, 0, _EVERY))

    @cached_property
    def value(self) -> Told:
        return self._told(value.TABLE, value.latest(self.merchant), lambda: value.read(self.merchant, 0, _EVERY))

    @cached_property
    def profit(self) -> Told:
        latest = profit_columns.latest(self.merchant)
        return self._told(profit_columns.TABLE, latest, lambda: profit_columns.read(self.merchant, _OF_PROFIT))

    def _told(self, table: str, latest: OfDay | None, read: Callable[[], Columns]) -> Told:
        return at_hand(self.merchant, table, latest, self.crowd.member, read)


def chosen(known: Known, filters: Filters, now: datetime, found: Iterable[int] | None = None) -> np.ndarray:
    """bool of each of the crowd. found: nobody but these (of a text search). `now` is the shop's time."""
    crowd = known.crowd
    mask = crowd.alive.copy()
    if found is not None:
        mask &= crowd.place(list(found))
    for those in (_by_member, _by_account, _by_score, _by_value, _by_profit):
        those(known, filters, mask)
    if filters.view == "dormant":
        last = known.score("last_paid_at")
        mask &= (last > 0) & (last < _seconds(now - timedelta(days=DORMANT_DAYS)))
    for meant, ids in by_history(known.merchant, filters, now):
        mask &= crowd.place(ids) if meant else ~crowd.place(ids)
    return mask


def _by_member(known: Known, filters: Filters, mask: np.ndarray) -> None:
    crowd = known.crowd
    if filters.stores:
        mask &= _one_of(crowd.store, filters.stores)
    if filters.home_on == NOT_STATED:
        mask &= crowd.store == 0
    elif filters.home_on:
        own = Store.objects.filter(merchant=known.merchant, platform=filters.home_on).values_list("pk", flat=True)
        mask &= _one_of(crowd.store, own)
    if filters.joined:
        _within(mask, crowd.joined, known.merchant, *(period(filters.joined) or (None, None)))
    if filters.acquired_by:
        mask &= _says(crowd.source, {"" if way == NOT_STATED else way.strip() for way in filters.acquired_by})


def _by_account(known: Known, filters: Filters, mask: np.ndarray) -> None:
    crowd = known.crowd
    if filters.tiers:
        mask &= _says(crowd.tier, {"" if tier == NOT_STATED else tier for tier in filters.tiers})
    if filters.points_from is not None:
        mask &= crowd.points >= filters.points_from
    if filters.points_to is not None:
        mask &= (crowd.points >= 0) & (crowd.points <= filters.points_to)


def _by_score(known: Known, filters: Filters, mask: np.ndarray) -> None:
    for column, words in (("stage", filters.wanted_stages()), ("layer", filters.layers or None), ("bond", filters.bonds or None)):  # fmt: skip
        if words is not None:
            names = score_columns.NAMES[column]
            mask &= _one_of(known.score(column, -1), [names.index(word) for word in words])
    if filters.rfm:
        mask &= _one_of(known.score("rfm"), [int(word) for word in filters.rfm])
    if filters.money:
        mask &= _one_of(known.score("m5"), [int(word) for word in filters.money])
    if filters.cells:
        cell = known.score("r5").astype(np.int8) * 10 + known.score("f5").astype(np.int8)
        mask &= _one_of(cell, [10 * r + f for r, f in filters.cells])
    if filters.first:
        first = known.score("first_paid_at")
        mask &= first > 0
        _within(mask, first, known.merchant, *(period(filters.first) or (None, None)))
    if filters.last_from is not None or filters.last_to is not None:
        last = known.score("last_paid_at")
        mask &= last > 0
        until = filters.last_to + timedelta(days=1) if filters.last_to is not None else None
        _within(mask, last, known.merchant, filters.last_from, until)
    if filters.bought in ("ever", "never"):
        mask &= (known.score("last_paid_at") > 0) == (filters.bought == "ever")
    elif filters.bought == "idle":
        mask &= known.score.there & (known.score("year_order_days") < 1)
    elif filters.bought:
        mask &= known.score("year_order_days") >= {"again": 2, "year": 1}[filters.bought]
    if filters.year_from is not None:
        mask &= known.score.there & (known.score("year_net_minor") >= filters.year_from)


def _by_value(known: Known, filters: Filters, mask: np.ndarray) -> None:
    if filters.chances:
        any_of = np.zeros(mask.size, bool)
        for word in filters.chances:
            days, _dash, band = word.partition("-")
            low, high = chances.bounds(band)
            chance = known.value(f"chance_{days}", -1)
            any_of |= (chance >= low) & (chance < high)
        mask &= any_of
    if filters.expects_from is not None or filters.expects_to is not None:
        spend = known.value("expected_spend", value.NONE)
        mask &= spend != value.NONE
        if filters.expects_from is not None:
            mask &= spend >= filters.expects_from
        if filters.expects_to is not None:
            mask &= spend < filters.expects_to


def _by_profit(known: Known, filters: Filters, mask: np.ndarray) -> None:
    if not filters.of_profit:
        return
    mask &= known.profit.there
    for column, words in (("loyalty", filters.loyalty), ("quality", filters.quality), ("advice", filters.advice)):
        if words:
            names = profit_columns.NAMES[column]
            mask &= _one_of(known.profit(column), [names.index(_UNKNOWN.get(word, word)) for word in words])
    if filters.cost:
        mask &= np.logical_or.reduce([known.profit(f"year_{kind}_minor") != 0 for kind in filters.cost])
    if filters.profit:
        year = known.profit("year_profit_minor")
        mask &= year < 0 if filters.profit == "loss" else year > 0


def _one_of(column: np.ndarray, codes: Iterable[int]) -> np.ndarray:
    """np.isin would sort the column; of codes there are few."""
    found = np.zeros(column.size, bool)
    for code in codes:
        found |= column == code
    return found


def _says(texts: Texts, wanted: set[str]) -> np.ndarray:
    return np.array([value in wanted for value in texts.values], bool)[texts.code]


def _within(mask: np.ndarray, seconds: np.ndarray, merchant: Merchant, start: date | None, end: date | None) -> None:
    """From the beginning of one of the shop's days to that of another."""
    if start is not None:
        mask &= seconds >= _seconds(clock.day_start(start, merchant.tz))
    if end is not None:
        mask &= seconds < _seconds(clock.day_start(end, merchant.tz))


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
