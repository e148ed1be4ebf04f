"""Goods, as of the end of a day: the report of each level, what was learnt about items, and what sellers say about products."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from django.db import transaction

from shuke.engine.insight import kpi
from shuke.engine.insight.goods import again, check, fresh, hiding, ladder, opening, selling, together
from shuke.engine.insight.goods.sales import Sales, Visits, distinct, visits
from shuke.insight.actions import month_sales
from shuke.insight.models import GoodsMark, GoodsReport
from shuke.insight.queries import coded, goods_model
from shuke.insight.queries.goods_sales import LEVELS, MANY_PRODUCTS, Shelf, files_of, names_of, shelf, sold
from shuke.kit import audit
from shuke.orders.models import Product
from shuke.shops.models import Merchant

CHECKED_EVERY = 28  # days; a check learns everything anew for each cut
NIGHT_CUTS = (0.85,)
SHOWN = {"hot": 20, "slow": 20, "opening": 60, "pairs": 100, "again": 60, "ladder": 120}
GROUPS = ("layer", "stage", "rfm")


class UnknownGoods(LookupError):
    """No product has this code. `codes` are those that are unknown."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(
            f"No product has the code {', '.join(codes[:5])}. Codes are in the order files, column of item codes."
        )
        self.codes = codes


class Mark(NamedTuple):
    """What to say about a product; None leaves as it is. durable: "yes", "no", or "" for as its buyers show."""

    code: str
    need: str | None = None
    durable: str | None = None
    out_of_stock: bool | None = None


def mark_goods(*, merchant: Merchant, marks: Iterable[Mark], now: datetime, actor: str) -> int:
    """Say of products which need they meet, whether they last, whether they can be had. All or none. Raises UnknownGoods."""
    wanted = {mark.code: mark for mark in marks}
    products = {p.code: p for p in Product.objects.filter(merchant=merchant, code__in=list(wanted))}
    unknown = [code for code in wanted if code not in products]
    if unknown:
        raise UnknownGoods(unknown)
    with transaction.atomic():
        for code, mark in wanted.items():
            kept, _new = GoodsMark.objects.get_or_create(
                merchant=merchant, product=products[code], defaults={"marked_at": now, "actor": actor}
            )
            if mark.need is not None:
                kept.need = mark.need.strip()[:60]
            if mark.durable is not None:
                kept.durable = {"yes": True, "no": False}.get(mark.durable)
            if mark.out_of_stock is not None:
                kept.out_of_stock = mark.out_of_stock
            kept.marked_at, kept.actor = now, actor
            kept.save()
        audit.record(
            merchant_id=merchant.pk, at=now, actor=actor, verb="goods.marked", detail={"products": sorted(wanted)[:200]}
        )
    return len(wanted)


def goods_report(
    *, merchant: Merchant, day: date, now: datetime, levels: tuple[str, ...] = (), whole_check: bool = False
) -> list[GoodsReport]:
    """Compute and keep the reports of `day`, and what was learnt about items. The columns must be fresh (`snapshot` sees to it).

    levels: default the one shown first, and the other one too where there are not too MANY_PRODUCTS for it to be quick.
    The check against bestsellers is made anew every CHECKED_EVERY days, or with `whole_check` now and on four cuts.
    """
    shelves = shelf(merchant)
    few = shelves.product.size <= MANY_PRODUCTS
    asked = levels or (LEVELS if few else (shelves.main_level(),))
    return [
        _report(merchant, shelves, level, day, now, whole_check=whole_check)
        for level in asked
        if level != "kind" or shelves.kinds
    ]


def _report(
    merchant: Merchant, shelves: Shelf, level: str, day: date, now: datetime, *, whole_check: bool
) -> GoodsReport:
    told, covered = sold(merchant, shelves, level, day, leave=month_sales.leave)
    month_sales.tidy(files_of(merchant)["lines"], level)
    former = GoodsReport.objects.filter(merchant=merchant, level=level).order_by("-day").first()
    checked = former.figures.get("check") if former else None
    if checked is None or whole_check or _stale(checked, day):
        checked = _checked(told, day, whole=whole_check)
    way = checked["earned"] if checked["earned"] in fresh.WAYS else "both"
    figures = _figures(merchant, shelves, level, told, day, way) | {"check": checked, "covered": round(covered, 4)}
    kept, _new = GoodsReport.objects.update_or_create(
        merchant=merchant, level=level, day=day, defaults={"made_at": now, "figures": figures}
    )
    # One report per month is history enough; every night's would be megabytes a week.
    GoodsReport.objects.filter(
        merchant=merchant, level=level, day__year=day.year, day__month=day.month, day__lt=day
    ).delete()
    return kept


def _stale(checked: dict[str, Any], day: date) -> bool:
    return (day - date.fromisoformat(checked["made_on"])).days >= CHECKED_EVERY


def _checked(told: Sales, day: date, *, whole: bool) -> dict[str, Any]:
    """Hit rates, with the method this shop's own past earns."""
    first = check.check(told, cuts=check.CUTS if whole else NIGHT_CUTS)
    month = check.check(told, cuts=check.CUTS, within=30) if whole else []
    method, sure = check.earned(first)

    def rates(ones: list[check.Rate]) -> list[dict]:
        return [one._asdict() | {"rate": round(one.rate, 4), "surely": one.surely} for one in ones]

    return {
        "made_on": day.isoformat(),
        "earned": method,
        "sure": bool(sure),
        "splits": [
            {"cut": kpi.day_of_number(one.cut).isoformat(), "within": within, "members": one.members}
            | {"every": rates(one.every), "new": rates(one.new)}
            for within, splits in ((0, first), (30, month))
            for one in splits
        ],
    }


def _figures(merchant: Merchant, shelves: Shelf, level: str, told: Sales, day: date, way: str) -> dict[str, Any]:
    today = kpi.day_number(day)
    # One after the other: what each takes beside the sales and the visits is given back before the next.
    seen = visits(told)
    durable = _durable(shelves, level, told, day, seen)
    parts = {
        "again": _learn(merchant, level, told, today, way, durable, seen),
        "groups": _groups(merchant, told, today),
        "opening": _opening(told, today),
        "together": _together(told),
        "ladder": [
            {"from": s.from_item, "to": s.to_item, "satisfied": s.satisfied, "steppers": s.steppers, "went": s.went,
             "share": round(s.share, 4), "expected": round(s.expected, 1), "lift": round(s.lift, 2), "days": s.days}
            for s in ladder.ladder(told, as_of=today, seen=seen)[: SHOWN["ladder"]]
        ],
        "durable": [{"item": int(i)} for i in np.flatnonzero(durable)[:200]],
    }  # fmt: skip
    _name(merchant, shelves, level, told, parts)
    first, last = (int(told.day.min()), int(told.day.max())) if told.day.size else (today, today)
    return parts | {
        "as_of": day.isoformat(),
        "level": level,
        "window_days": selling.WINDOW_DAYS,
        "items": int(told.items.size),
        "orders": int(np.count_nonzero(np.bincount(told.order, minlength=1))),
        "first_day": kpi.day_of_number(first).isoformat(),
        "last_day": kpi.day_of_number(last).isoformat(),
        "main": shelves.main_level(),
    }


def _learn(
    merchant: Merchant, level: str, told: Sales, today: int, way: str, durable: np.ndarray, seen: Visits
) -> dict[str, Any]:
    """Keep what is needed to name things to a member; what the report says of it."""
    own = again.held(told, as_of=today, seen=seen)
    rhythm = again.rhythm(told, own)
    due = again.due(told, rhythm, as_of=today, own=own, ranked=False)
    del own
    said = _again(told, rhythm, due, today)
    del due
    goods_model.keep(
        merchant, level, goods_model.Learnt(today, told.items, fresh.fit(told, way, seen=seen), rhythm, durable)
    )
    return said


def _durable(shelves: Shelf, level: str, told: Sales, day: date, seen_visits: Visits) -> np.ndarray:
    """Of each item: whether its kind lasts. The seller's word first, else what its buyers show."""
    kind = shelves.kind_of(level, told.items)
    if level == "kind":
        seen = hiding.durable_kinds(told, as_of=kpi.day_number(day), seen=seen_visits)
    else:
        by_kind = told._replace(
            item=np.searchsorted(kinds := distinct(kind), kind).astype(np.int32)[told.item], items=kinds
        )
        lasts = hiding.durable_kinds(by_kind, as_of=kpi.day_number(day)) & (by_kind.items > 0)
        seen = lasts[np.searchsorted(by_kind.items, kind)] if kind.size else np.empty(0, bool)
    said = np.array([shelves.durable.get(int(one), -1) for one in kind], np.int8)
    return np.where(said >= 0, said == 1, seen)


def _groups(merchant: Merchant, told: Sales, today: int) -> list[dict[str, Any]]:
    found = []
    stands, lately = coded.stands(merchant), selling.lately(told, as_of=today)
    for column, what in enumerate(GROUPS):
        names, group_of = stands.of(what, told.members)
        sums = selling.by_group(lately, group_of, len(names))
        wanted = [(f"{what}:{name}", i) for i, name in enumerate(names)]
        for key, group in [*([("all", sums.all)] if not column else []), *wanted]:
            found.append(
                {
                    "key": key,
                    "buyers": int(sums.of[group]),
                    "hot": [
                        one._asdict()
                        | {"share": round(one.share, 4), "surely": one.surely, "error": round(one.error, 4)}
                        for one in selling.hot(sums, group, SHOWN["hot"])
                    ],
                    "slow": [
                        one._asdict()
                        | {
                            "expected": round(one.expected, 1),
                            "missing": round(one.missing, 1),
                            "last_day": kpi.day_of_number(one.last_day).isoformat(),
                        }
                        for one in selling.slow(sums, group, SHOWN["slow"])
                    ],
                }
            )
    return found


def _opening(told: Sales, today: int) -> dict[str, Any]:
    found = opening.opening(told, as_of=today, lead=opening.LEAD_DAYS)
    return found._asdict() | {
        "follow_days": opening.FOLLOW_DAYS,
        "items": [
            {k: round(v, 4) if isinstance(v, float) else v for k, v in one._asdict().items()}
            for one in found.items[: SHOWN["opening"]]
        ],
    }


def _together(told: Sales) -> dict[str, Any]:
    found = together.pairs(told)
    shown = found.take(np.arange(min(found.both.size, SHOWN["pairs"])))
    columns = {
        name: [round(float(one), 4) for one in getattr(shown, name)]
        for name in ("support", "confidence", "confidence_back", "lift", "expected", "extra", "errors")
    }
    return {
        "orders": found.orders,
        "all": int(found.both.size),
        "pairs": [
            {
                "item": int(shown.first[i]), "with": int(shown.second[i]), "both": int(shown.both[i]),
                "with_first": int(shown.with_first[i]), "with_second": int(shown.with_second[i]),
            }
            | {name: column[i] for name, column in columns.items()}
            for i in range(shown.both.size)
        ],
    }  # fmt: skip


def _again(told: Sales, rhythm: again.Rhythm, due: again.Due, today: int) -> dict[str, Any]:
    state = again.state(today - due.last, due.gap)
    size = told.items.size
    now = np.bincount(due.item[state == 1], minlength=size)
    late = np.bincount(due.item[state == 2], minlength=size)
    best = np.lexsort((np.arange(size), -(now + late)))[: SHOWN["again"]]
    return {
        "pull": round(rhythm.pull, 2),
        "shop_gap": None if np.isnan(rhythm.shop_gap) else round(rhythm.shop_gap, 1),
        "members_due": int(distinct(due.member[state == 1]).size),
        "members_overdue": int(distinct(due.member[state == 2]).size),
        "items": [
            {
                "item": int(i), "gap": None if np.isnan(rhythm.gap[i]) else round(float(rhythm.gap[i]), 1),
                "gaps": int(rhythm.gaps[i]), "buyers": int(rhythm.buyers[i]), "again": int(rhythm.again[i]),
                "due": int(now[i]), "overdue": int(late[i]),
            }
            for i in best
            if now[i] or late[i]
        ],
    }  # fmt: skip


_PLACES = ("item", "with", "from", "to")


def _name(merchant: Merchant, shelves: Shelf, level: str, told: Sales, parts: dict[str, Any]) -> None:
    """Put keys and names in the place of the engine's places."""
    rows = [row for group in parts["groups"] for kind in ("hot", "slow") for row in group[kind]]
    rows += (
        parts["opening"]["items"]
        + parts["together"]["pairs"]
        + parts["again"]["items"]
        + parts["ladder"]
        + parts["durable"]
    )
    used = {int(told.items[row[place]]) for row in rows for place in _PLACES if place in row}
    names = names_of(merchant, shelves, level, used)
    for row in rows:
        for place in _PLACES:
            if place in row:
                item = int(told.items[row[place]])
                row[f"{place}_name"] = names.get(item, str(item))
                row[place] = shelves.key(level, item)
