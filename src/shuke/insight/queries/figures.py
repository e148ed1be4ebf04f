"""The figures of a snapshot, their history, and what moved between two days.

`Snapshot.figures`, written by `insight.actions.snapshot`, has exactly this shape. Money is minor units of the merchant's
currency, quantities are thousandths, rates are 0 … 1 rounded to four places, days are ISO text. A figure that could not
be observed is null, never 0; `missing` then says why.

    {
      "as_of": "2017-12-31",              the shop day whose end is described
      "made_at": "2018-01-01T02:00:00+00:00",
      "currency": "USD",
      "window_days": 365, "active_days": 90,
      "history": {"first_day": "2017-01-01" | null, "last_day": … | null, "days": 365, "orders": 155848, "lines": 1469307},
      "missing": [{"code": "short_history", "params": {"days": 40, "needed": 180}, "figures": ["churn_rate"]}, …],
      "kpi": {
        "members": 2469,                  active members joined up to the day
        "buyers": 2469,                   of these, with at least one purchase ever
        "new_members": 12,                joined in the calendar month of the day
        "active": 2300, "active_rate": 0.9315,                      bought within active_days / members
        "churn_base": 2400, "churned": 100, "churn_rate": 0.0417,   see docs/algorithms/kpi.md
        "window_buyers": 2469, "repeat_buyers": 2400, "repeat_rate": 0.97,   ≥ 2 order days within window_days
        "orders": 155848, "net_minor": 730000000,                   within window_days, members and guests
        "basket_minor": 4684, "items_milli": 9428,                  per order: 客单价, 连带率
        "identified_rate": 0.98,          share of net revenue bought by known members
        "month_orders": …, "month_net_minor": …,                    calendar month of the day so far
        "degrading": 120, "lost": 50      from the life cycle: 预流失, 流失
      },
      "months": [                         every calendar month from the first order on, oldest first, last one may be partial
        {"month": "2017-01", "partial": false, "members": …, "new_members": …, "buyers": …, "orders": …, "net_minor": …,
         "basket_minor": …, "items_milli": …, "active": …, "active_rate": …, "churned": …, "churn_rate": …,
         "repeat_buyers": …, "repeat_rate": …, "identified_rate": …}, …
      ],
      "stores": [                         by net revenue within window_days, largest first, at most 50
        {"store": 123, "name": "…", "orders": …, "buyers": …, "net_minor": …, "basket_minor": …, "items_milli": …,
         "active": …, "new_members": …, "repeat_buyers": …, "repeat_rate": …}, …      new_members: home store, month of the day
      ],
      "stores_left_out": 0,               stores beyond the 50 (their orders are in kpi)
      "store_months": {"months": ["2017-01", …], "rows": [{"store": 123, "net_minor": [… or null], "orders": […],
         "buyers": […], "basket_minor": […], "items_milli": […]}, …]},   at most 20 stores; null: store sold nothing then
      "rfm": {
        "classes": [{"code": "222", "count": …, "net_minor": …}, …],      always the eight, 222 first
        "map": [{"r": 5, "f": 1, "count": …, "net_minor": …}, …],        always 25 cells, r 5…1 then f 1…5
        "monetary": [{"m": 5, "count": …, "net_minor": …}, …],           5 … 1
        "none": 3,                                                       members without a purchase, in no class
        "cuts": {"fixed_on": "2017-12-01", "next_on": "2018-01-01", "r": [d2, d3, d4, d5], "f": […], "m": […],
                 "two": {"r": 21.4, "f": 50.2, "m": 295000.0}, "own": false}   see docs/algorithms/rfm.md
      },
      "pyramid": {
        "layers": [{"layer": "key", "count": …, "net_minor": …, "from_minor": … | null}, …],   key, main, potential, target
        "bonds": [{"bond": "loyal", "count": …, "net_minor": …}, …],      loyal, drifting, potential: every member is in one
        "crossed": [{"layer": "key", "bond": "loyal", "count": …}, …],   how many members are in both
        "without_purchase": 3,            of target: nothing bought within window_days
        "shares": [0.01, 0.04, 0.15, 0.80],
        "fixed_on": "2017-12-01",
        "curve": [[0, 0], [0.01, 0.08], … [1, 1]],     biggest spenders first: share of buyers, share of spend
        "gini": 0.52, "top20_share": 0.54, "members_for_80_rate": 0.44, "identified_rate": 0.98,
        "top20": {"from_minor": 120000, "count": 494} | null,    those behind that share: spent at least so much, ties included
        "for_80": {"from_minor": 61000, "count": 1090} | null,   the same for 80 %
        "tops": [{"percent": 1, "share": 0.09, "from_minor": 480000, "count": 25}, …]   1, 5, 10, 20, 50; none without spend
      },
      "lifecycle": {
        "stages": [{"stage": "observing", "count": …, "net_minor": …}, …],   observing forming stable degrading lost
        "none": 3, "shop_gap_days": 8.1 | null, "pull": 1.9 | null, "gaps": 140000      as published
      },
      "movement": {"since": "2017-12-30" | null, "recut": false,      recut: cut points were made anew in between
        "rfm": [{"before": "222", "after": "122", "count": 4}, …], "layer": […], "stage": […]}
      "books": null or {                loyalty.queries.liability at `now`, when the snapshot was made; null for past month ends
        "now": "2018-01-01T02:00:00+00:00", "points": …, "money_minor": …, "available": …, "pending": …, "held": …, "debt": …,
        "members": …, "by_month": [["2018-03" or "" = never, points, money_minor], …], "holders": {"2018-03": members, …}, "issued": …, "spent": …, "expired": …,
        "tiers": {"gold": 12, …}}       members by tier
    }

Net money beside rfm classes, the map and stages is all-time net spend; beside layers and bonds it is that of the window.
What a figure means in words: `definition`. The members behind it: `members_behind.members_behind`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

from django.db.models import Count

from shuke.engine.insight import wording
from shuke.insight.models import MemberScore, Snapshot
from shuke.kit import bulk
from shuke.kit.refusal import Refusal, Sentences
from shuke.shops.models import Merchant

Figures = dict[str, Any]
T = TypeVar("T")


class NoFigures(Refusal):
    """What was asked for is made at night, and there was no such night yet."""

    sentences: ClassVar[Sentences] = {
        "no_figures": (
            "There are no figures yet: they are made at night. Run `shuke night` to have them now.",
            "还没有数据：数据在每天夜里计算。如需现在就有，请运行 `shuke night`。",
        ),
        "no_figures_then": (
            "There are no figures of {day} or before; the first are of {first}.",
            "{day} 及以前没有数据，最早的数据是 {first} 的。",
        ),
        "no_such_level": (
            "Goods are not told so here: kinds need a category or a need beside products, and single products are told where"
            " there are not too many. Ask without a level.",
            "本店没有这种商品数据：按品类统计需要商品有类目或需求；单品太多时不逐一统计。请不指定层级再试。",
        ),
        "one_night_only": (
            "Movement needs two days with figures; there are not that many yet.",
            "流转需要两个有数据的日子，目前还不够。",
        ),
    }

    def __init__(self, code: str = "no_figures", **named: object) -> None:
        super().__init__(code, **named)


def there(found: T | None) -> T:
    """What a query found; NoFigures where that is nothing. For doors that have nothing to show then."""
    if found is None:
        raise NoFigures
    return found


class Flow(NamedTuple):
    """So many members went from one class, layer or stage to another. "" = in none (not bought yet, newly joined)."""

    before: str
    after: str
    members: int


def latest(merchant: Merchant) -> Figures | None:
    """The figures of the last snapshot; None before the first night run."""
    return Snapshot.objects.filter(merchant=merchant).order_by("-day").values_list("figures", flat=True).first()


def last_day(merchant: Merchant) -> date | None:
    """The day of the latest snapshot."""
    return Snapshot.objects.filter(merchant=merchant).order_by("-day").values_list("day", flat=True).first()


def on(merchant: Merchant, day: date) -> Figures | None:
    """The figures of the last snapshot up to and including `day`."""
    kept = Snapshot.objects.filter(merchant=merchant, day__lte=day).order_by("-day")
    return kept.values_list("figures", flat=True).first()


def told(merchant: Merchant, day: date | None = None) -> Figures:
    """The figures of the latest snapshot, or of the last up to and including `day`. Raises NoFigures."""
    found = on(merchant, day) if day else latest(merchant)
    if found is None and day and (first := Snapshot.objects.filter(merchant=merchant).order_by("day").first()):
        raise NoFigures("no_figures_then", day=day.isoformat(), first=first.day.isoformat())
    return there(found)


def mark(merchant: Merchant) -> str:
    """Another text after every snapshot: what is derived from snapshots may be kept under it."""
    made = Snapshot.objects.filter(merchant=merchant).order_by("-day").values_list("day", "made_at").first()
    return _mark(*made) if made else ""


def mark_of(kept: Snapshot) -> str:
    """What `mark` says as long as this snapshot is the latest."""
    return _mark(kept.day, kept.made_at)


def _mark(day: date, made_at: datetime) -> str:
    return f"{day}-{made_at.timestamp():.0f}"


def started(merchant: Merchant) -> bool:
    """Whether there is a snapshot with purchases, and scores to compare the next one with."""
    known = latest(merchant)
    if known is None or not known["history"]["orders"]:
        return False
    return MemberScore.objects.filter(merchant=merchant).exists()


def days(merchant: Merchant) -> list[date]:
    """Days with a snapshot, oldest first."""
    return list(Snapshot.objects.filter(merchant=merchant).order_by("day").values_list("day", flat=True))


def series(
    merchant: Merchant, *path: str | int, since: date | None = None, until: date | None = None
) -> list[tuple[date, Any]]:
    """One figure through all snapshots, oldest first: `series(m, "kpi", "active_rate")`, `series(m, "rfm", "classes", 0, "count")`.

    Snapshots made before a figure existed give None. Figures by calendar month are in `latest()["months"]`.
    """
    kept = Snapshot.objects.filter(merchant=merchant).order_by("day")
    if since is not None:
        kept = kept.filter(day__gte=since)
    if until is not None:
        kept = kept.filter(day__lte=until)
    return [
        (day, _within(figures, path)) for day, figures in kept.values_list("day", "figures").iterator(chunk_size=50)
    ]


def movement(merchant: Merchant, *, what: str, since: date, until: date) -> list[Flow]:
    """Who moved between the end of `since` and the end of `until`: largest flows first, there and back counts as not.

    what: rfm | layer | stage.
    """
    rows = bulk.select(
        "SELECT was, has, COUNT(*) FROM ("
        "  SELECT member_id, MAX(CASE WHEN up = 1 THEN before END) AS was, MAX(CASE WHEN down = 1 THEN after END) AS has FROM ("
        "    SELECT member_id, before, after, ROW_NUMBER() OVER (PARTITION BY member_id ORDER BY day) AS up,"
        "      ROW_NUMBER() OVER (PARTITION BY member_id ORDER BY day DESC) AS down"
        "    FROM insight_movement WHERE merchant_id = %s AND what = %s AND day > %s AND day <= %s) AS steps"
        "  GROUP BY member_id) AS ends "
        "WHERE was <> has GROUP BY was, has ORDER BY COUNT(*) DESC, was, has",
        [merchant.pk, what, since.isoformat(), until.isoformat()],
    )
    return [Flow(*row) for row in rows]


def layers_by_bond(merchant: Merchant, figures: Figures) -> dict[tuple[str, str], int]:
    """(layer of the pyramid, loyalty layer) → members, as of the latest snapshot; those of an older version are counted now."""
    if kept := figures["pyramid"].get("crossed"):
        return {(one["layer"], one["bond"]): one["count"] for one in kept if one["count"]}
    counted = MemberScore.objects.filter(merchant=merchant).values_list("layer", "bond").annotate(n=Count("pk"))
    return {(layer, bond): n for layer, bond, n in counted.order_by()}


def name(figure: str, language: str) -> str:
    """What a figure is called on screen."""
    return wording.name_of(figure, language)


def definition(figure: str, figures: Figures, language: str) -> str:
    """What a figure means, with the parameters of this snapshot."""
    cuts = figures["rfm"]["cuts"] if figure == "rfm" else figures["pyramid"]
    return wording.definition_of(
        figure,
        language,
        window_days=figures["window_days"],
        active_days=figures["active_days"],
        fixed_on=cuts["fixed_on"],
        next_on=figures["rfm"]["cuts"]["next_on"],
    )


def why_missing(figures: Figures, language: str) -> list[str]:
    """One sentence for everything that could not be told, or only roughly."""
    return [wording.MISSING[gap["code"]].said(language, **gap["params"]) for gap in figures["missing"]]


def _within(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
