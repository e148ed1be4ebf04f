"""What members will probably buy and spend, as of the end of a day: tested on the shop's own past, kept one row a member."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from django.db import transaction

from shuke.engine.insight import chances, kpi, pyramid
from shuke.engine.insight.clv import shop
from shuke.engine.insight.clv.history import Visits
from shuke.engine.insight.port import Columns, Port
from shuke.insight.actions import kept_rows
from shuke.insight.actions.differing import alike
from shuke.insight.models import ValueReport
from shuke.insight.queries import value as queries
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import places
from shuke.insight.queries.value import COLUMNS as _COLUMNS
from shuke.insight.queries.value import NONE as _NONE
from shuke.insight.queries.value import TABLE as _TABLE
from shuke.insight.queries.value_visits import layers_of, visits_of, ways_of
from shuke.kit import bulk, money
from shuke.shops.models import Merchant

CHECKED_EVERY = 28  # days; a test learns everything anew for each cut
MUCH_MORE = 1.2  # so many times the visits of the last test: a history was imported
_SPEND, _RULE = 3, 6  # from there on money; the last
_ALL = range(len(_COLUMNS))
_CHUNK = 20_000
NEAR_CHANCE, NEAR_SHARE = 5, 0.03  # a row stays while it is as near as this (permille; share)
WHOLESALERS = 50  # named at most
BANDS_AT = (50, 80, 95)  # per cent of members


def value_report(
    *,
    merchant: Merchant,
    day: date,
    now: datetime,
    whole_check: bool = False,
    groups: bool = True,
    engine: Port | None = None,
) -> ValueReport:
    """Compute and keep the report of `day`, and the row of every member who has bought. The columns must be fresh (`snapshot` sees to it).

    The tests on the past are made anew every CHECKED_EVERY days, after a large import, or with `whole_check` now. The same
    day again gives the same figures. A day before the latest report only gets its figures; members' rows stay as they are.
    groups: count by layer and stage too; a night does so once its scores are there. engine: as for `visits_of`.
    """
    end = kpi.day_number(day)
    seen = visits_of(merchant, day, engine)
    layers = layers_of(merchant, seen, day)
    former = ValueReport.objects.filter(merchant=merchant, day__lte=day).order_by("-day").first()
    known = former.figures if former else {}
    checked = known.get("check")
    anew = checked is None or whole_check or _stale(checked, seen, day)
    own = ways_of(merchant, seen) if checked is None or anew or shop.wants_traits(checked) else None
    if checked is None or anew:
        checked = shop.check(seen, end=end, groups=layers, begin=known.get("fit"), own=own)
        checked |= {"made_on": day.isoformat(), "visits": int(seen.day.size)}
    told = shop.outlook(seen, checked, end=end, groups=layers, begin=known.get("fit"), own=own)
    rows: Columns | None = None
    with transaction.atomic():
        if not ValueReport.objects.filter(merchant=merchant, day__gt=day).exists():
            told, rows = _write(merchant, told, day)
        figures = _figures(merchant, seen, checked, told, day)
        kept, _new = ValueReport.objects.update_or_create(
            merchant=merchant, day=day, defaults={"made_at": now, "figures": figures}
        )
        # One report per month is history enough: what a year of nights said is best read in the tests.
        ValueReport.objects.filter(merchant=merchant, day__year=day.year, day__month=day.month, day__lt=day).delete()
    if rows is not None:
        kept_rows.leave(merchant, _TABLE, mark_of(kept), rows)
    if groups:
        settle_groups(merchant=merchant, day=day)
        kept.refresh_from_db()
    return kept


def _stale(checked: dict[str, Any], seen: Visits, day: date) -> bool:
    if checked["level"] == "none":
        return True  # asking again costs nothing, and the day on which there is enough is worth knowing
    old = day - date.fromisoformat(checked["made_on"]) >= timedelta(days=CHECKED_EVERY)
    return old or seen.day.size > MUCH_MORE * checked["visits"]


def _figures(
    merchant: Merchant, seen: Visits, checked: dict[str, Any], told: shop.Outlook | None, day: date
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "as_of": day.isoformat(),
        "currency": merchant.currency,
        "check": checked,
        "level": checked["level"],
        "rule": told.rule if told else "",
        "whole": None,
        "wholesale": None,
        "bands": None,
        "spend_bands": [],
        "layers": [],  # these two: `settle_groups`
        "quiet": {"members": 0, "year_net_minor": 0},
        "fit": None,
        "buyers": int((np.bincount(seen.customer) > 0).sum()),
        "repeaters": int((np.bincount(seen.customer) > 1).sum()),
    }
    if told is None:
        return figures
    for group in told.whole["groups"]:
        group["group"] = pyramid.LAYERS[group["group"]]
    many = int(told.wholesale.sum())
    return figures | {
        "bands": _bands(told),
        "spend_bands": _spend_bands(told.spend, merchant.currency),
        "whole": told.whole,
        "fit": told.fit,
        "wholesale": {
            "members": many,
            "from": round(told.wholesale_from),
            "who": told.customer[told.wholesale][:WHOLESALERS].tolist(),
        }
        if many
        else None,
    }


def settle_groups(*, merchant: Merchant, day: date) -> None:
    """Add to the report of `day` what depends on the scores of the same night: sums by layer, and good members gone quiet."""
    report = ValueReport.objects.filter(merchant=merchant, day=day).first()
    if report is None:
        return
    told_layers = {group.key: group for group in queries.by_group(merchant, "layer")}
    report.figures["layers"] = [
        {"layer": layer, "members": one.members, "orders": one.expected_orders, "spend": one.expected_spend}
        for layer in pyramid.LAYERS
        if (one := told_layers.get(layer)) and report.figures["level"] == "full"
    ]
    report.figures["quiet"] = queries.quiet(merchant)
    report.save(update_fields=["figures"])


def _bands(told: shop.Outlook) -> dict[str, dict[str, int]]:
    found = {}
    for days, chance in told.chance.items():
        permille = np.rint(chance * 1000)
        ends = {word: chances.bounds(word) for word in chances.BANDS}
        found[str(days)] = {
            word: int(((permille >= low) & (permille < high)).sum()) for word, (low, high) in ends.items()
        }
    return found


def _spend_bands(spend: np.ndarray | None, currency: str) -> list[dict[str, Any]]:
    """Members and their spend by bands, the highest first; as the rows have it, to the minor unit."""
    if spend is None or np.isnan(spend).any():
        return []
    whole = np.rint(spend).astype(np.int64)
    edges: list[int | None] = [0, *_bounds(spend, currency), None]
    found = []
    for low, high in pairwise(edges):
        within = (whole >= (low or 0)) & (whole < (np.iinfo(np.int64).max if high is None else high))
        found.append({"from": low, "to": high, "members": int(within.sum()), "spend": int(whole[within].sum())})
    return found[::-1]


def _bounds(spend: np.ndarray, currency: str) -> list[int]:
    """Where bands of expected spend begin: round amounts near the middle, the upper fifth and the upper twentieth."""
    unit = 10 ** money.digits(currency)
    found: set[int] = set()
    for value in np.percentile(spend, BANDS_AT) / unit:
        step = 10 ** max(0, math.floor(math.log10(value))) if value >= 1 else 1
        found.add(round(value / step) * step * unit)
    return sorted(found - {0})


def _write(merchant: Merchant, told: shop.Outlook | None, day: date) -> tuple[shop.Outlook | None, Columns | None]:
    """Bring the rows to `told`, touching only those that differ enough to matter; what the rows say then, so that figures and
    lists agree, and the rows themselves. Rows of who is no longer told of go away."""
    copy = queries.copied(merchant)
    kept_rows.remove(merchant, _TABLE)
    if told is None:
        bulk.execute(f"DELETE FROM {_TABLE} WHERE merchant_id = %s", [merchant.pk])
        return None, None
    after = []
    chance = {days: one.copy() for days, one in told.chance.items()}
    spend = None if told.spend is None else told.spend.copy()
    for low, high in _chunks(told.customer):
        member, now = told.customer[low:high], _codes(told, low, high)
        known, kept = _known(merchant, low, high, told, copy)
        at, there = places(known, member)
        before = kept[at] if known.size else now
        matters = _matters(before, now) & there
        bulk.insert(
            _TABLE,
            ("member_id", "merchant_id", "as_of", *_COLUMNS),
            [
                (one, merchant.pk, day.isoformat(), *row)
                for one, row in zip(member[~there].tolist(), _texts(now[~there], _ALL, told.rule), strict=True)
            ],
        )
        for rows, listed in alike((before != now) & matters[:, None]):
            values = zip(_texts(now[rows], listed, told.rule), member[rows].tolist(), strict=True)
            names = ("as_of", *(_COLUMNS[column] for column in listed))
            bulk.update(_TABLE, names, [(day.isoformat(), *row, one) for row, one in values], key="member_id")
        after.append(np.where((there & ~matters)[:, None], before, now))
        stays = np.flatnonzero(there & ~matters)
        for place, days in enumerate(chances.DAYS):
            chance[days][low + stays] = before[stays, place] / 1000
        if spend is not None:
            spend[low + stays] = np.where(before[stays, _SPEND] == _NONE, np.nan, before[stays, _SPEND])
        gone = known[~np.isin(known, member)].tolist()
        if gone:  # between the first and the last of the chunk, and no longer told of
            _forget(merchant, gone)
    if told.customer.size:
        first, last = int(told.customer[0]), int(told.customer[-1])
        bulk.execute(
            f"DELETE FROM {_TABLE} WHERE merchant_id = %s AND (member_id < %s OR member_id > %s)",
            [merchant.pk, first, last],
        )
    codes = np.concatenate(after) if after else np.empty((0, len(_COLUMNS)), np.int64)
    found = {"member": told.customer} | {name: codes[:, i] for i, name in enumerate(_COLUMNS)}
    found["rule"] = np.full(told.customer.size, told.rule == "model", np.int64)  # one of another rule never stays
    return replace(told, chance=chance, spend=spend), found


def _matters(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Half a point of a chance, another word for it, three hundredths of what is expected: less is not worth writing each night."""
    words = sorted(chances.bounds(word)[0] for word in chances.BANDS)
    chance, expected = slice(0, len(chances.DAYS)), slice(len(chances.DAYS), _RULE)
    far = np.abs(before[:, chance] - now[:, chance]) >= NEAR_CHANCE
    far |= np.searchsorted(words, before[:, chance], side="right") != np.searchsorted(
        words, now[:, chance], side="right"
    )
    much = np.abs(before[:, expected] - now[:, expected]) > NEAR_SHARE * np.abs(now[:, expected])
    known = (before[:, expected] == _NONE) != (now[:, expected] == _NONE)
    return far.any(axis=1) | (much | known).any(axis=1) | (before[:, _RULE] != now[:, _RULE])


def _forget(merchant: Merchant, members: list[int]) -> None:
    condition, parameter = bulk.among("member_id", members)
    bulk.execute(f"DELETE FROM {_TABLE} WHERE +merchant_id = %s AND {condition}", [merchant.pk, parameter])


def _chunks(member: np.ndarray) -> Iterator[tuple[int, int]]:
    for low in range(0, member.size, _CHUNK):
        yield low, min(low + _CHUNK, member.size)


def _codes(told: shop.Outlook, low: int, high: int) -> np.ndarray:
    """One row of whole numbers per member, in the order of `_COLUMNS`; the rule told is 1."""
    part = slice(low, high)

    def whole(values: np.ndarray, scale: float = 1.0) -> np.ndarray:
        return np.rint(values[part] * scale).astype(np.int64)

    def money(values: np.ndarray | None) -> np.ndarray:
        return np.full(high - low, _NONE) if values is None or np.isnan(values[part]).any() else whole(values)

    listed = [*(whole(told.chance[days], 1000) for days in chances.DAYS), whole(told.orders, 1000)]
    listed += [money(values) for values in (told.spend, told.low, told.high)]
    return np.stack([*listed, np.ones(high - low, np.int64)], axis=1)


def _texts(codes: np.ndarray, listed: Sequence[int], rule: str) -> Iterator[tuple]:
    """Some columns of `codes` as the table has them."""
    columns: list[list] = [codes[:, column].tolist() for column in listed]
    for place, column in enumerate(listed):
        if column == _RULE:
            columns[place] = [rule] * len(columns[place])
        elif column >= _SPEND:
            columns[place] = [None if value == _NONE else value for value in columns[place]]
    return zip(*columns, strict=True)


def _known(
    merchant: Merchant, low: int, high: int, told: shop.Outlook, copy: Columns | None
) -> tuple[np.ndarray, np.ndarray]:
    """The rows there are from the first of the chunk up to the first of the next: ids, ascending, and what they say, as `_codes`."""
    member = told.customer
    first, last = int(member[low]), int(member[high]) - 1 if high < member.size else int(member[high - 1])
    if copy is None:
        rows = queries.read(merchant, first, last)
    else:
        start, end = np.searchsorted(copy["member"], (first, last + 1)).tolist()
        rows = {name: values[start:end] for name, values in copy.items()}
    kept = np.stack([rows[name].astype(np.int64) for name in _COLUMNS], axis=1)
    kept[:, _RULE] = kept[:, _RULE] == (told.rule == "model")
    return rows["member"], kept
