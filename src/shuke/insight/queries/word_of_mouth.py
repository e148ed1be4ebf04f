"""What word of mouth brought: friends by step against others of the same month and way, single branches, and the trade's saying.

`report` answers in this shape; money is minor units:

    {"as_of", "currency", "terms": {"anyway_permille", "margin_permille", "hear", "want", "buy", "own": [names that the shop stated itself]},
     "members", "bonds", "brought_a_year": friends of the last 365 days, "void": bonds that count for nothing,
     "steps": [{"step": 1 | 2 | 3 (and more), "friends", "buyers", "net", "rewards", "taken" (off their orders, by coupons and points), "expected", "profit", "anyway", "kept", "expected_profit"}],
     "compared": {"brought", "matched", "by_month", "unmatched", "others", "capped", "brought_each", "others_each", "difference", "low", "high",
        "brought_buyers", "others_buyers", "surely"}         None where too few can be compared
     "saying": {"satisfied", "hear", "want", "buy", "worth" | null}, "newcomer_worth" | null,
     "branches": [{"member", "direct", "second", "friends", "net", "kept"}]}     those who brought most
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.core.cache import cache

from shuke.engine.insight import kpi
from shuke.engine.insight import word_of_mouth as engine
from shuke.engine.insight.word_of_mouth import Branch
from shuke.insight.models import MemberScore, MouthPolicy, ProfitPolicy
from shuke.insight.queries import coded, figures, profile_traits, value
from shuke.insight.queries.order_columns import shop_days
from shuke.kit import bulk, clock
from shuke.loyalty.models import Referral
from shuke.loyalty.queries import referral_worth, taken_off
from shuke.members.models import MemberState
from shuke.members.queries.families import survivors_of
from shuke.shops.models import Merchant

KEPT_SECONDS = 3_600
SHOWN = 20
# Bonds that brought nobody: the friend was known, is the same person, was brought by somebody else, or somebody said it is wrong.
VOID = ("same_person", "brought_before", "left", "not_new", "declined")


class Terms(NamedTuple):
    """What is assumed. `own`: what the shop stated itself."""

    anyway_permille: int
    margin_permille: int
    hear: int
    want: int
    buy: int
    own: tuple[str, ...] = ()


def terms(merchant: Merchant) -> Terms:
    """The shop's own assumptions, and the usual ones for the rest."""
    margin = ProfitPolicy.objects.filter(merchant=merchant).values_list("margin_permille", flat=True).first()
    stated = MouthPolicy.objects.filter(merchant=merchant).first()
    usual = {"anyway_permille": engine.ANYWAY_PERMILLE, "hear": engine.HEAR, "want": engine.WANT, "buy": engine.BUY}
    own = {name: found for name in usual if stated is not None and (found := getattr(stated, name)) is not None}
    return Terms(**usual | own, margin_permille=merchant.margin_permille if margin is None else margin, own=tuple(own))


class Brought(NamedTuple):
    """Everybody who was brought and counts, as the members they are today."""

    bonds: dict[int, int]  # newcomer → who brought them
    since: dict[int, date]  # newcomer → the day they were bound
    void: int


def brought(merchant: Merchant) -> Brought:
    rows = list(
        Referral.objects.filter(merchant=merchant)
        .order_by("bound_at", "id")
        .values_list("newcomer_id", "referrer_id", "bound_at", "state", "reason")
    )
    home = survivors_of(merchant.pk, {member for row in rows for member in row[:2]})
    gone = _gone(merchant, {home.get(row[0], row[0]) for row in rows})
    bonds: dict[int, int] = {}
    since: dict[int, date] = {}
    for newcomer, by, at, state, reason in rows:
        who, referrer = home.get(newcomer, newcomer), home.get(by, by)
        if who == referrer or who in gone or who in bonds or (state == Referral.State.MISSED and reason in VOID):
            continue
        bonds[who], since[who] = referrer, clock.day_of(at, merchant.tz)
    return Brought(bonds, since, len(rows) - len(bonds))


def _gone(merchant: Merchant, people: set[int]) -> set[int]:
    where, values = bulk.among("id", people)
    rows = bulk.select(
        f"SELECT id FROM members_member WHERE +merchant_id = %s AND state <> %s AND {where}",
        [merchant.pk, str(MemberState.ACTIVE), values],
    )
    return {pk for (pk,) in rows}


def report(merchant: Merchant, *, now: datetime) -> dict[str, Any] | None:
    """Everything the page shows; None before the first night."""
    known = figures.latest(merchant)
    if known is None:
        return None
    told = terms(merchant)
    bonds = Referral.objects.filter(merchant=merchant).count()
    rests = _rests_on(merchant, told, bonds)
    key = f"insight:mouth:{merchant.pk}:{profile_traits.mark(merchant)}:{rests}".replace(" ", "")
    found = cache.get(key)
    if found is None:
        kept = profile_traits.answer(merchant, "mouth")
        found = kept["report"] if kept and kept["rests_on"] == rests else _report(merchant, known, told, now)
        cache.set(key, found, KEPT_SECONDS)
    return found


def usual(merchant: Merchant, traits: profile_traits.Known, now: datetime) -> dict[str, Any] | None:
    """The report as `report` will be asked for it until something changes: it looks at everybody, so a night makes it."""
    known, told = figures.latest(merchant), terms(merchant)
    if known is None:
        return None
    bonds = Referral.objects.filter(merchant=merchant).count()
    return {"rests_on": _rests_on(merchant, told, bonds), "report": _report(merchant, known, told, now, traits)}


def _rests_on(merchant: Merchant, told: Terms, bonds: int) -> str:
    return f"{figures.mark(merchant)}:{bonds}:{told}"


def _report(
    merchant: Merchant, known: figures.Figures, told: Terms, now: datetime, traits: profile_traits.Known | None = None
) -> dict[str, Any]:
    day = date.fromisoformat(known["as_of"])
    all_of = brought(merchant)
    people = _people(merchant, all_of, day, now)
    level = engine.levels(all_of.bonds)
    steps = []
    for step, wanted in ((1, {1}), (2, {2}), (3, set(level.values()) - {1, 2})):
        branch = _sum(people, [one for one in all_of.bonds if level[one] in wanted])
        if step == 1:  # those who were brought by nobody themselves: their orders are in no step
            roots = set(all_of.bonds.values()) - set(all_of.bonds)
            branch = branch.plus(Branch(rewards=sum(people.used.get(by, 0) for by in roots)))
        if branch.friends:
            steps.append({"step": step} | _said(branch, told))
    everybody, compared = _compared(merchant, all_of, traits)
    worth_each = _newcomer_worth(known, everybody, told.margin_permille)
    satisfied = next((row["count"] for row in known["pyramid"].get("bonds", []) if row["bond"] == "loyal"), 0)
    return {
        "as_of": known["as_of"],
        "currency": merchant.currency,
        "terms": told._asdict() | {"own": list(told.own)},
        "members": known["kpi"]["members"],
        "bonds": len(all_of.bonds),
        "void": all_of.void,
        "brought_a_year": sum(day - timedelta(days=kpi.WINDOW_DAYS) < at <= day for at in all_of.since.values()),
        "steps": steps,
        "compared": {name: _tidy(figure) for name, figure in compared._asdict().items()} | {"surely": compared.surely},
        "newcomer_worth": worth_each,
        "saying": engine.saying(satisfied, told.hear, told.want, told.buy, worth_each)._asdict(),
        "branches": _branches(all_of, people, told),
    }


def _tidy(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4) if abs(figure) <= 1 else round(figure)


def _said(branch: Branch, told: Terms, steps: int = 1) -> dict[str, int]:
    worth = engine.worth(branch, told.margin_permille, told.anyway_permille, steps)
    return branch._asdict() | {
        "profit": worth.profit, "anyway": worth.anyway, "kept": worth.kept, "expected_profit": worth.expected
    }  # fmt: skip


class _People(NamedTuple):
    """Of each friend what they bought, cost, and will probably buy, as of the last night; of who brought them, `referral_worth.Graph.used`."""

    branch: dict[int, Branch]
    used: dict[int, int]


def _people(merchant: Merchant, all_of: Brought, day: date, now: datetime) -> _People:
    ids = list(all_of.bonds)
    if not ids:
        return _People({}, {})
    told = referral_worth.graph(merchant, now)
    taken = taken_off.by_member(merchant, clock.day_start(day + timedelta(days=1), merchant.tz))
    hoped = value.of_members(merchant, ids)
    scores = {}
    for start in range(0, len(ids), 500):
        rows = MemberScore.objects.filter(merchant=merchant, member_id__in=ids[start : start + 500])
        scores.update(
            {pk: (orders, net) for pk, orders, net in rows.values_list("member_id", "order_count", "net_minor")}
        )
    found = {}
    for one in ids:
        orders, net = scores.get(one, (0, 0))
        given = told.worth[one].rewards if one in told.worth else 0
        expected = hoped[one].expected_spend if one in hoped else None
        found[one] = Branch(1, int(orders > 0), net, given, expected or 0, taken.get(one, 0))
    return _People(found, told.used)


def _sum(people: _People, members: list[int]) -> Branch:
    found = Branch()
    for one in members:
        found = found.plus(people.branch[one])
    return found


class _Newcomers(NamedTuple):
    members: np.ndarray
    month: np.ndarray
    channel: np.ndarray
    net: np.ndarray
    brought: np.ndarray


def _compared(
    merchant: Merchant, all_of: Brought, traits: profile_traits.Known | None
) -> tuple[_Newcomers, engine.Compared]:
    everybody = _newcomers(merchant, all_of, traits)
    return everybody, engine.compare(everybody.month, everybody.channel, everybody.net, everybody.brought)


def _newcomers(merchant: Merchant, all_of: Brought, traits: profile_traits.Known | None = None) -> _Newcomers:
    """All living members with the month they joined, the way they buy, and their net spend up to the last night."""
    if not all_of.bonds:
        nothing = np.empty(0, np.int64)
        return _Newcomers(nothing, nothing, nothing, nothing, np.empty(0, bool))
    sql = (
        f"SELECT m.id, {coded.seconds('m.joined_at')}, COALESCE(s.net_minor, 0), COALESCE(o.platform, '') FROM members_member m "
        "LEFT JOIN insight_member_score s ON s.member_id = m.id LEFT JOIN shops_store o ON o.id = m.home_store_id "
        "WHERE m.merchant_id = %s AND m.state = %s ORDER BY m.id"
    )
    (members, joined_s, net), (platform,) = coded.fetch(sql, [merchant.pk, MemberState.ACTIVE], 3, 1)
    joined = shop_days(joined_s, merchant.tz).astype("datetime64[D]").astype("datetime64[M]")
    names = {name: place for place, name in enumerate(platform.values)}
    channel = _by_habit(merchant, members, platform.code, names, traits)
    brought = np.isin(members, np.fromiter(all_of.bonds, np.int64, len(all_of.bonds)))
    return _Newcomers(members, joined.astype(np.int64) + 12 * 1970, channel, net, brought)


def _by_habit(
    merchant: Merchant, members: np.ndarray, way: np.ndarray, names: dict[str, int], traits: profile_traits.Known | None
) -> np.ndarray:
    """Where no home store says by which platform somebody came, the one they buy on most does."""
    if not members.size:
        return way
    known = traits or profile_traits.kept(merchant, "platform")
    trait = next((t for t in known.traits if t.key == "platform"), None) if known else None
    unstated = way == names.get("", -1)
    if known is None or trait is None or trait.share is None or not unstated.any():
        return way
    code = np.array([names.setdefault(name, len(names)) for name in trait.options], np.int64)
    place = np.minimum(np.searchsorted(known.members, members), max(known.members.size - 1, 0))
    here = (known.members[place] == members) & unstated if known.members.size else np.zeros(members.size, bool)
    bought = trait.known()[place] & here
    way = way.copy()
    way[bought] = code[np.asarray(trait.share[place[bought]], np.float32).argmax(axis=1)]
    return way


def _newcomer_worth(known: figures.Figures, everybody: _Newcomers, margin_permille: int) -> int | None:
    """What somebody who came by word of mouth left so far, in gross margin; before ten such, what any member left."""
    net = everybody.net[everybody.brought]
    if net.size < engine.LEAST_MATCHED:
        classes, members = known["rfm"]["classes"], known["kpi"]["members"]
        return round(sum(one["net_minor"] for one in classes) / members * margin_permille / 1000) if members else None
    counted = np.minimum(net, np.quantile(everybody.net, engine.CAPPED, method="higher"))
    return round(float(counted.mean()) * margin_permille / 1000)


def _branches(all_of: Brought, people: _People, told: Terms) -> list[dict[str, Any]]:
    friends = engine.friends_of(all_of.bonds)
    found = [{"member": member} | _branch(friends, people, member, told) for member in friends]
    found.sort(key=lambda row: (-row["kept"], -row["friends"], row["member"]))
    return found[:SHOWN]


def _branch(friends: dict[int, list[int]], people: _People, member: int, told: Terms) -> dict[str, Any]:
    below = engine.below(friends, member, 2)
    parts = {}
    for name, step, used in (("direct", 1, people.used.get(member, 0)), ("second", 2, 0)):
        branch = _sum(people, [one for one, at in below.items() if at == step])
        parts[name] = _said(branch.plus(Branch(rewards=used)), told, step)
    return parts | {name: parts["direct"][name] + parts["second"][name] for name in ("friends", "net", "kept")}


def of_member(merchant: Merchant, member: int, *, now: datetime) -> dict[str, Any] | None:
    """The branch of one member: friends, friends of friends, and what both left. None where nobody was brought."""
    all_of = brought(merchant)
    friends = engine.friends_of(all_of.bonds)
    if member not in friends:
        return None
    near = all_of._replace(bonds={one: all_of.bonds[one] for one in engine.below(friends, member, 2)})
    day = figures.last_day(merchant) or clock.day_of(now, merchant.tz)
    return _branch(friends, _people(merchant, near, day, now), member, terms(merchant))


FIGURES = ("brought", "step", "matched", "unmatched", "others", "referrers")


class NoSuchFigure(LookupError):
    """The figure is not known."""


class Behind(NamedTuple):
    member: int
    net_minor: int


def members_behind_mouth(merchant: Merchant, figure: str, step: int = 0) -> list[Behind]:
    """The members a figure counts, those who bought most first. `step` of step: 1, 2, or 3 for all deeper ones. Raises NoSuchFigure."""
    if figure not in FIGURES:
        raise NoSuchFigure(f"Nothing is known of {figure!r}. Figures are {', '.join(FIGURES)}.")
    all_of = brought(merchant)
    everybody = _newcomers(merchant, all_of)
    chosen = everybody.brought.copy()
    if figure == "step":
        level = engine.levels(all_of.bonds)
        chosen &= np.array([min(level.get(int(one), 0), 3) == step for one in everybody.members], bool)
    elif figure == "referrers":
        chosen = np.isin(everybody.members, np.array(list(set(all_of.bonds.values())), np.int64))
    elif figure != "brought":
        matched, others = engine.sides(everybody.month, everybody.channel, everybody.brought)
        chosen = {"matched": matched, "unmatched": everybody.brought & ~matched, "others": others}[figure]
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((everybody.members[rows], -everybody.net[rows]))]
    return [Behind(int(everybody.members[row]), int(everybody.net[row])) for row in rows]
