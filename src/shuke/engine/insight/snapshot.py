"""All figures of one shop as of the end of one day, in one pass over the engine's tables.

`take` is plain: tables in, arrays and a JSON-ready dictionary out. Its shape is documented where it is read, in
shuke/insight/queries/figures.py. Keeping what it says, and finding what moved, is the business of the insight room.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from shuke.engine.insight import kpi, lifecycle, pyramid, rfm
from shuke.engine.insight.port import Columns, Port
from shuke.engine.insight.standing import Members, Published, next_refresh, stand

MOST_STORES, MOST_STORE_ROWS = 50, 20
TOPS = (1, 5, 10, 20, 50)  # per cent of buyers
CHURN_NEEDS, REPEAT_NEEDS = 2 * kpi.ACTIVE_DAYS, kpi.ACTIVE_DAYS  # days of history
FEW_BUYERS = 25


class Taken(NamedTuple):
    members: Members
    figures: dict
    published: Published


def prepare(engine: Port, *, as_of: date) -> None:
    """Keep what the days up to `as_of` are all counted from, so that several of them read the orders of members once."""
    engine.keep("days", as_of=kpi.day_number(as_of))
    engine.keep("steps")


def take(
    engine: Port,
    *,
    as_of: date,
    former: Published | None = None,
    stores: dict[int, str] | None = None,
    chance: lifecycle.Chance | None = None,
    prepared: bool = False,
) -> Taken:
    """Compute everything. The engine must hold the tables `heads` and `members` (port.TABLES).

    former: the cut points published last; kept until the next refresh day, unless there are a quarter more or fewer
    buyers than when they were made (a shop that has just imported its history must not wait a month).
    stores: names by id. chance: to buy within 90 days, where it can be told (clv.shop.chance_of).
    prepared: `prepare` was called for this day or a later one.
    """
    if not prepared:
        prepare(engine, as_of=as_of)
    today = kpi.day_number(as_of)
    window_from, active_from = today - kpi.WINDOW_DAYS, today - kpi.ACTIVE_DAYS
    totals = engine.run("member_totals", as_of=today, window_from=window_from)
    gaps = engine.run("gaps", as_of=today)
    spans = engine.run("spans", as_of=today, active_days=kpi.ACTIVE_DAYS, window_days=kpi.WINDOW_DAYS)
    everyone = engine.run("everyone", as_of=today)
    history = engine.run("history", as_of=today)
    daily = kpi.daily(spans["kind"], spans["from_day"], spans["to_day"], spans["spans"], last=today)

    members, published = stand(everyone, totals, gaps, as_of, former, chance)
    first_day = int(history["first_day"][0]) if history["orders"][0] else None
    figures: dict = {
        "as_of": as_of.isoformat(),
        "window_days": kpi.WINDOW_DAYS,
        "active_days": kpi.ACTIVE_DAYS,
        "history": _history(history, today),
        "rfm": _rfm(members, published),
        "pyramid": _pyramid(members, published, totals),
        "lifecycle": _lifecycle(members, published.rhythm),
    }
    figures["kpi"] = _kpi(engine, members, daily, figures, as_of, first_day)
    figures["pyramid"]["identified_rate"] = figures["kpi"]["identified_rate"]
    figures["months"] = _months(engine, members, daily, as_of, first_day)
    figures["stores"], figures["stores_left_out"], figures["store_months"] = _stores(
        engine, members, everyone["home_store"], as_of, window_from, active_from, stores or {}
    )
    months = figures["months"]
    last_month = months[-1] if months and months[-1]["month"] == kpi.month_text(kpi.month_number(as_of)) else None
    figures["kpi"]["month_orders"] = last_month["orders"] if last_month else 0
    figures["kpi"]["month_net_minor"] = last_month["net_minor"] if last_month else 0
    figures["missing"] = _missing(members, published, figures)
    return Taken(members, figures, published)


def _history(history: Columns, today: int) -> dict:
    orders = int(history["orders"][0])
    first, last = int(history["first_day"][0]), int(history["last_day"][0])
    return {
        "first_day": kpi.day_of_number(first).isoformat() if orders else None,
        "last_day": kpi.day_of_number(last).isoformat() if orders else None,
        "days": today - first + 1 if orders else 0,
        "orders": orders,
        "lines": int(history["order_lines"][0]),
    }


def _rfm(members: Members, published: Published) -> dict:
    bought = members.rfm > 0
    fifths = members.r5[bought].astype(np.int64) * 10 + members.f5[bought]
    net = members.net[bought]
    cells = [r * 10 + f for r in range(5, 0, -1) for f in range(1, 6)]
    return {
        "classes": [
            {"code": code, "count": count, "net_minor": money}
            for code, (count, money) in _sums(members.rfm[bought], net, [int(c) for c in rfm.CLASSES], rfm.CLASSES)
        ],
        "map": [
            {"r": cell // 10, "f": cell % 10, "count": count, "net_minor": money}
            for cell, (count, money) in _sums(fifths, net, cells, cells)
        ],
        "monetary": [
            {"m": m, "count": count, "net_minor": money}
            for m, (count, money) in _sums(members.m5[bought], net, [5, 4, 3, 2, 1], [5, 4, 3, 2, 1])
        ],
        "none": int((~bought).sum()),
        "cuts": published.rfm.to_json() | {"next_on": next_refresh(published.pyramid.fixed_on).isoformat()},
    }


def _sums(keys: np.ndarray, money: np.ndarray, wanted: list[int], labels: tuple | list) -> list[tuple]:
    """(label, (count, money)) for each wanted key."""
    found = [(label, keys == key) for key, label in zip(wanted, labels, strict=True)]
    return [(label, (int(rows.sum()), int(money[rows].sum()))) for label, rows in found]


def _pyramid(members: Members, published: Published, totals: Columns) -> dict:
    in_window = totals["window_days"] > 0
    shape = pyramid.concentration(totals["window_net"][in_window])
    bound = published.pyramid
    froms = (bound.key_from, bound.main_from, bound.potential_from, None)
    rows = _sums(members.layer, members.window_net, [0, 1, 2, 3], pyramid.LAYERS)
    held = _sums(members.bond, members.window_net, [0, 1, 2], pyramid.BONDS)
    return {
        "layers": [
            {"layer": layer, "count": count, "net_minor": money, "from_minor": froms[i]}
            for i, (layer, (count, money)) in enumerate(rows)
        ],
        "bonds": [{"bond": bond, "count": count, "net_minor": money} for bond, (count, money) in held],
        "crossed": _crossed(members),
        "without_purchase": int(members.member.size - in_window.sum()),
        "shares": list(pyramid.SHARES),
        "fixed_on": bound.fixed_on.isoformat(),
        "curve": [list(point) for point in shape.curve],
        "gini": shape.gini,
        "top20_share": shape.top20_share,
        "top20": _spenders(members, shape.top20_from),
        "members_for_80_rate": shape.members_for_80_rate,
        "for_80": _spenders(members, shape.for_80_from),
        "tops": [
            {"percent": percent, "share": top.share} | (_spenders(members, top.least) or {})
            for percent, top in ((p, pyramid.top(totals["window_net"][in_window], p)) for p in TOPS)
            if top is not None
        ],
    }


def _crossed(members: Members) -> list[dict]:
    counts = np.bincount(members.layer * len(pyramid.BONDS) + members.bond.astype(np.int64), minlength=12).tolist()
    return [
        {"layer": layer, "bond": bond, "count": counts[i * len(pyramid.BONDS) + j]}
        for i, layer in enumerate(pyramid.LAYERS)
        for j, bond in enumerate(pyramid.BONDS)
    ]


def _spenders(members: Members, least: int | None) -> dict | None:
    """Who spent at least so much within the window: the people behind a point of the curve, those who tie with it included."""
    if not least:
        return None
    return {"from_minor": least, "count": int((members.window_net >= least).sum())}


def _lifecycle(members: Members, rhythm: lifecycle.Rhythm) -> dict:
    rows = _sums(members.stage, members.net, [0, 1, 2, 3, 4], lifecycle.STAGES)
    return {
        "stages": [{"stage": stage, "count": count, "net_minor": money} for stage, (count, money) in rows],
        "none": int((members.stage < 0).sum()),
        "shop_gap_days": None if rhythm.shop_gap is None else round(rhythm.shop_gap, 2),
        "pull": None if rhythm.pull is None else round(rhythm.pull, 2),
        "gaps": rhythm.gaps,
    }


def _kpi(engine: Port, members: Members, daily: kpi.Daily, figures: dict, as_of: date, first_day: int | None) -> dict:
    today = kpi.day_number(as_of)
    sales = engine.run("window_sales", as_of=today, window_from=today - kpi.WINDOW_DAYS)
    orders, net = int(sales["orders"][0]), int(sales["net_sum"][0])
    stage = {row["stage"]: row["count"] for row in figures["lifecycle"]["stages"]}
    month_start = kpi.day_number(as_of.replace(day=1))
    moving = _moving(daily, today, members.member.size, first_day)
    return {
        "members": int(members.member.size),
        "buyers": int((members.order_days > 0).sum()),
        "new_members": int((members.joined >= month_start).sum()),
        **moving,
        "orders": orders,
        "net_minor": net,
        "basket_minor": kpi.per(net, orders),
        "items_milli": kpi.per(int(sales["items_sum"][0]), int(sales["itemed"][0])),
        "identified_rate": kpi.rate(int(sales["known_net"][0]), net),
        "degrading": stage["degrading"],
        "lost": stage["lost"],
    }


def _moving(daily: kpi.Daily, day: int, members: int, first_day: int | None) -> dict:
    """Figures that look back from a day; null as long as the history does not reach back far enough."""
    active, gone, buyers, repeaters = daily.at(day) or (0, 0, 0, 0)
    base = daily.at(day - kpi.ACTIVE_DAYS)
    observed = 0 if first_day is None else day - first_day + 1
    churn_seen = observed >= CHURN_NEEDS and base is not None
    return {
        "active": active,
        "active_rate": kpi.rate(active, members) if observed else None,
        "churn_base": base[0] if churn_seen and base else None,
        "churned": gone if churn_seen else None,
        "churn_rate": kpi.rate(gone, base[0]) if churn_seen and base else None,
        "window_buyers": buyers,
        "repeat_buyers": repeaters,
        "repeat_rate": kpi.rate(repeaters, buyers) if observed >= REPEAT_NEEDS else None,
    }


def _months(engine: Port, members: Members, daily: kpi.Daily, as_of: date, first_day: int | None) -> list[dict]:
    today, this_month = kpi.day_number(as_of), kpi.month_number(as_of)
    joined = np.sort(members.joined)
    rows = engine.run("months", as_of=today)
    starts = [int(rows["in_month"][0])] if rows["in_month"].size else []
    if not starts:
        return []
    at = {int(month): i for i, month in enumerate(rows["in_month"])}
    listed = []
    for month in range(starts[0], this_month + 1):
        end = min(kpi.day_number(kpi.month_end(month)), today)
        before = kpi.day_number(kpi.month_end(month - 1))
        i = at.get(month)
        orders, net, items, itemed, known, buyers = (
            (0, 0, 0, 0, 0, 0)
            if i is None
            else (int(rows[c][i]) for c in ("orders", "net_sum", "items_sum", "itemed", "known_net", "buyers"))
        )
        so_far = int(np.searchsorted(joined, end, side="right"))
        moving = _moving(daily, end, so_far, first_day)
        listed.append(
            {
                "month": kpi.month_text(month),
                "partial": kpi.month_end(month) > as_of,
                "members": so_far,
                "new_members": so_far - int(np.searchsorted(joined, before, side="right")),
                "buyers": buyers,
                "orders": orders,
                "net_minor": net,
                "basket_minor": kpi.per(net, orders),
                "items_milli": kpi.per(items, itemed),
                "active": moving["active"],
                "active_rate": moving["active_rate"],
                "churned": moving["churned"],
                "churn_rate": moving["churn_rate"],
                "repeat_buyers": moving["repeat_buyers"],
                "repeat_rate": moving["repeat_rate"],
                "identified_rate": kpi.rate(known, net),
            }
        )
    return listed


def _stores(
    engine: Port,
    members: Members,
    home_store: np.ndarray,
    as_of: date,
    window_from: int,
    active_from: int,
    names: dict[int, str],
) -> tuple[list[dict], int, dict]:
    today = kpi.day_number(as_of)
    rows = engine.run("stores", as_of=today, window_from=window_from, active_from=active_from)
    month_start = kpi.day_number(as_of.replace(day=1))
    newcomers = home_store[members.joined >= month_start]
    stores: list[dict] = []
    for i in range(min(rows["at_store"].size, MOST_STORES)):
        store, orders, net = int(rows["at_store"][i]), int(rows["orders"][i]), int(rows["net_sum"][i])
        buyers = int(rows["buyers"][i])
        stores.append(
            {
                "store": store,
                "name": names.get(store, ""),
                "orders": orders,
                "buyers": buyers,
                "net_minor": net,
                "basket_minor": kpi.per(net, orders),
                "items_milli": kpi.per(int(rows["items_sum"][i]), int(rows["itemed"][i])),
                "active": int(rows["active"][i]),
                "new_members": int((newcomers == store).sum()),
                "repeat_buyers": int(rows["repeaters"][i]),
                "repeat_rate": kpi.rate(int(rows["repeaters"][i]), buyers),
            }
        )
    chosen = [store["store"] for store in stores[:MOST_STORE_ROWS]]
    return stores, rows["at_store"].size - len(stores), _store_months(engine, chosen, today)


def _store_months(engine: Port, chosen: list[int], today: int) -> dict:
    if not chosen:
        return {"months": [], "rows": []}
    engine.table("chosen", {"store_id": np.array(chosen, dtype=np.int64)})
    rows = engine.run("store_months", as_of=today)
    first = int(rows["in_month"].min())
    months = list(range(first, kpi.month_number(kpi.day_of_number(today)) + 1))
    table: dict[int, dict] = {
        store: {"store": store}
        | {key: [None] * len(months) for key in ("net_minor", "orders", "buyers", "basket_minor", "items_milli")}
        for store in chosen
    }
    for i in range(rows["at_store"].size):
        row, at = table[int(rows["at_store"][i])], int(rows["in_month"][i]) - first
        orders, net = int(rows["orders"][i]), int(rows["net_sum"][i])
        row["orders"][at], row["net_minor"][at], row["buyers"][at] = orders, net, int(rows["buyers"][i])
        row["basket_minor"][at] = kpi.per(net, orders)
        row["items_milli"][at] = kpi.per(int(rows["items_sum"][i]), int(rows["itemed"][i]))
    return {"months": [kpi.month_text(month) for month in months], "rows": [table[store] for store in chosen]}


def _missing(members: Members, published: Published, figures: dict) -> list[dict]:
    """What could not be told, and why: codes with params, for sentences in engine/insight/wording.py."""
    found: list[dict] = []

    def say(code: str, names: list[str], **params: int | str) -> None:
        found.append({"code": code, "params": params, "figures": names})

    days, buyers = figures["history"]["days"], figures["kpi"]["buyers"]
    if members.member.size == 0:
        say("no_members", ["members"])
    if buyers == 0:
        say("no_purchases", ["rfm", "pyramid", "lifecycle", "kpi"])
        return found
    if days < CHURN_NEEDS:
        say("short_history", ["churn_rate"], days=days, needed=CHURN_NEEDS)
    if days < REPEAT_NEEDS:
        say("short_history", ["repeat_rate"], days=days, needed=REPEAT_NEEDS)
    if days < kpi.WINDOW_DAYS:
        say("part_of_window", ["pyramid", "orders", "net_minor", "repeat_rate"], days=days, needed=kpi.WINDOW_DAYS)
    if published.rhythm.shop_gap is None:
        say("too_few_gaps", ["lifecycle"], gaps=published.rhythm.gaps, needed=lifecycle.LEAST_GAPS)
    if buyers < FEW_BUYERS:
        say("few_buyers", ["rfm", "pyramid"], buyers=buyers, needed=FEW_BUYERS)
    for name, cuts in (("r", published.rfm.recency), ("f", published.rfm.frequency), ("m", published.rfm.money)):
        if cuts.two is None:
            say("all_alike", ["rfm"], dimension=name)
    if figures["pyramid"]["gini"] is None:
        say("no_spend", ["pyramid"])
    elif published.pyramid.potential_from is None:
        say("all_spend_alike", ["pyramid"])
    return found
