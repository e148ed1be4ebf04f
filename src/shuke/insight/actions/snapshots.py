"""One night's insight: everything computed as of the end of a shop day, kept by day, so that movement shows."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from datetime import date, datetime

import numpy as np
from django.db import transaction
from django.db.models import Count

from shuke.engine.insight import kpi
from shuke.engine.insight.port import Port
from shuke.engine.insight.snapshot import Taken, prepare, take
from shuke.engine.insight.standing import Members, Published
from shuke.insight.actions import columns, kept_rows, scores
from shuke.insight.actions.at_hand import leave_crowd
from shuke.insight.actions.movement import History, move
from shuke.insight.actions.reports import keep_reports
from shuke.insight.actions.scores import Moves
from shuke.insight.actions.thinning import thin
from shuke.insight.actions.value import settle_groups, value_report
from shuke.insight.models import CutPoints, MemberScore, Movement, Snapshot
from shuke.insight.queries import analytics, profile_traits, score_columns
from shuke.insight.queries.cut_points import mark_of, values_path
from shuke.insight.queries.figures import started
from shuke.insight.queries.growth_parts import Living, living
from shuke.insight.queries.value_visits import chance_of
from shuke.kit import bulk, clock
from shuke.kit.progress import Progress, Silent
from shuke.loyalty.queries.expiring import holders
from shuke.loyalty.queries.liability import liability
from shuke.loyalty.queries.member import tier_counts
from shuke.shops import queries as shops
from shuke.shops.models import Merchant


def snapshot(
    *, merchant: Merchant, day: date, now: datetime, actor: str = "", progress: Progress | None = None
) -> Snapshot:
    """Compute and keep the figures of `day`. The same day again gives the same figures, and notes nobody twice.

    Nobody moves on the first one with purchases: there is nothing to compare it with.
    A day before the latest one only gets its figures (the past is not news): scores and movement stay as they are.
    """
    columns.refresh(merchant=merchant, progress=progress)
    people = living(merchant)
    with _engine(merchant, people) as engine:
        prepare(engine, as_of=day)
        value_report(merchant=merchant, day=day, now=now, groups=False, engine=engine)
        taken = _take(engine, merchant, day, _published(merchant, day), prepared=True)
    return _settle(merchant, taken, people, day, now, actor=actor)


def backfill(*, merchant: Merchant, day: date, now: datetime, progress: Progress | None = None) -> list[Snapshot]:
    """Month-end snapshots from the first month of the history up to `day`, then `day` itself; the snapshots made.

    For a shop that has just brought its history: trend and movement show at once. Days that have a snapshot keep it, so
    a killed run goes on where it was. Each month counts what is known today: a refund given since is already taken off.
    """
    shown = progress or Silent()
    columns.refresh(merchant=merchant, progress=progress)
    have = set(Snapshot.objects.filter(merchant=merchant).values_list("day", flat=True))
    ends = _month_ends(merchant, day)
    former: Published | None = None
    if all(end in have for end in ends):
        ends = ends[-1:] if day not in have else []  # only to see who moved since
        former = _published(merchant, ends[-1]) if ends else None
    later = not ends or any(other > ends[-1] for other in have)
    before: Members | None = None
    made, past, today = [], History(), None
    shown.total(len(ends) + 1, "snapshots")
    people = living(merchant)
    with _engine(merchant, people) as engine:
        prepare(engine, as_of=day)
        if ends or day not in have:  # before them: stages of the past by what is known today
            value_report(merchant=merchant, day=day, now=now, groups=False, engine=engine)
        for end in ends:
            taken = _take(engine, merchant, end, former, prepared=True)
            if end not in have:
                moves = scores.between(before, taken.members) if before else Moves.together([])
                past.add(end, moves)
                made.append((taken.figures, taken.published, end, moves.counted()))
            before, former = taken.members, taken.published
            shown.advance()
        if day not in have:
            today = _take(engine, merchant, day, _published(merchant, day) if later else former, prepared=True)
    past.write(merchant, now)
    with transaction.atomic():
        kept = [_keep(merchant, *one, now) for one in made]
    if today is not None:
        kept.append(_settle(merchant, today, people, day, now, before=None if later else before))
    shown.advance()
    return kept


def _settle(
    merchant: Merchant,
    taken: Taken,
    people: Living,
    day: date,
    now: datetime,
    *,
    before: Members | None = None,
    actor: str = "",
) -> Snapshot:
    """Write what the figures of `day` change: scores, movement, timelines, the day's row. Figures alone of a day before the latest.

    before: where members stood on the day before this one, if their scores were never written.
    """
    newest = Snapshot.objects.filter(merchant=merchant).order_by("-day").values_list("day", flat=True).first()
    fresh = not MemberScore.objects.filter(merchant=merchant).exists()
    comparable = started(merchant) and Snapshot.objects.filter(merchant=merchant, day__lt=day).exists()
    latest = newest is None or newest <= day
    if latest:
        # The first scores come all at once: with a part of them, the others would seem to be newcomers.
        with transaction.atomic() if fresh else nullcontext():
            _write_members(merchant, taken.members, day, now, comparable=comparable, before=before if fresh else None)
    with transaction.atomic():
        if latest:
            scores.leave_out(merchant)
            settle_groups(merchant=merchant, day=day)
        counts = _moved_on(merchant, day)
        kept = _keep(
            merchant, taken.figures, taken.published, day, counts, now, books=_books(merchant, now), actor=actor
        )
        if latest:
            transaction.on_commit(lambda: _keep_values(merchant, kept, taken.members))
    if latest:
        scores.leave_copy(merchant, taken.members, mark_of(kept))
        leave_crowd(merchant, mark_of(kept))
    thin(merchant=merchant, day=day)
    if latest:
        keep_reports(merchant=merchant, kept=kept, people=people)
    return kept


def _write_members(
    merchant: Merchant, members: Members, day: date, now: datetime, *, comparable: bool, before: Members | None
) -> None:
    """Scores with the movement they make, some thousand members at a time: a till does not wait for a million of them."""
    earlier = _movement_of(merchant, day) if comparable else {}
    if not comparable:
        Movement.objects.filter(merchant=merchant, day=day).delete()
    copy = score_columns.copied(merchant)
    kept_rows.remove(merchant, score_columns.TABLE)
    for low, high in scores.chunks(members):
        with transaction.atomic():
            moves = scores.write(merchant=merchant, members=members, low=low, high=high, day=day, copy=copy)
            if comparable:
                first, last = int(members.member[low]), int(members.member[high - 1])
                mine = {key: went for key, went in earlier.items() if first <= key[0] <= last} if earlier else {}
                move(merchant, moves.named(), day, now, earlier=mine)
    if before is not None:
        move(merchant, scores.between(before, members).named(), day, now, earlier=_movement_of(merchant, day))


def forget(*, merchant: Merchant, members: list[int]) -> None:
    """Purge what insight holds on people who asked to be forgotten: scores, movements, what is expected of them, profit."""
    for table in ("insight_member_score", "insight_movement", "insight_membervalue", "insight_memberprofit"):
        condition, parameter = bulk.among("member_id", members)
        bulk.execute(f"DELETE FROM {table} WHERE merchant_id = %s AND {condition}", [merchant.id, parameter])
        kept_rows.leave_out(merchant, table, members)
    # A file for all members: the worker makes it anew without them.
    profile_traits.path(merchant).unlink(missing_ok=True)


def _engine(merchant: Merchant, people: Living) -> Port:
    """The engine over the merchant's files and members; close it."""
    engine = analytics.opened(memory=analytics.memory_of_a_night(columns.orders(merchant)))
    try:
        engine.files("heads", columns.files(merchant)["heads"])
        engine.table("members", {"member": people.member, "joined": people.joined, "home_store": people.home})
    except BaseException:
        engine.close()
        raise
    return engine


def _take(engine: Port, merchant: Merchant, day: date, former: Published | None, *, prepared: bool = False) -> Taken:
    names = {store.id: store.name for store in shops.stores(merchant)}
    taken = take(engine, as_of=day, former=former, stores=names, chance=chance_of(merchant), prepared=prepared)
    taken.figures["currency"] = merchant.currency
    return taken


def _published(merchant: Merchant, day: date) -> Published | None:
    last = Snapshot.objects.filter(merchant=merchant, day__lte=day).order_by("-day").first()
    return Published.from_json(last.cuts) if last and last.cuts else None


def _month_ends(merchant: Merchant, day: date) -> list[date]:
    row = bulk.select("SELECT MIN(paid_at) FROM orders_order WHERE merchant_id = %s", [merchant.id])[0]
    first = bulk.read_moment(row[0])
    if first is None:
        return []
    month = kpi.month_number(clock.day_of(first, merchant.tz))
    ends = [kpi.month_end(number) for number in range(month, kpi.month_number(day) + 1)]
    return [end for end in ends if end < day]


def _movement_of(merchant: Merchant, day: date) -> dict[tuple[int, str], tuple[str, str]]:
    rows = Movement.objects.filter(merchant=merchant, day=day).values_list("member_id", "what", "before", "after")
    return {(member, what): (before, after) for member, what, before, after in rows}


def _moved_on(merchant: Merchant, day: date) -> Counter[tuple[str, str, str]]:
    rows = Movement.objects.filter(merchant=merchant, day=day).values_list("what", "before", "after")
    return Counter({(what, before, after): n for what, before, after, n in rows.annotate(n=Count("pk")).order_by()})


def _books(merchant: Merchant, now: datetime) -> dict:
    """What the points books say now: adding up every lot and leg is for the night, not for each look at a page."""
    owed = liability(merchant, now)
    lapsing = holders(merchant, [month for month, _points, _money in owed.by_month], now)
    return owed._asdict() | {"now": now.isoformat(), "tiers": tier_counts(merchant), "holders": lapsing}


def _keep(
    merchant: Merchant,
    figures: dict,
    published: Published,
    day: date,
    counts: Counter[tuple[str, str, str]],
    now: datetime,
    *,
    books: dict | None = None,
    actor: str = "",
) -> Snapshot:
    """Write the day's row. counts: who moved that day. `books` are not known of a day long past."""
    former = Snapshot.objects.filter(merchant=merchant, day__lt=day).order_by("-day").only("day", "cuts").first()
    cuts = published.to_json()
    movement: dict = {
        "since": former.day.isoformat() if former else None,
        "recut": former is not None and former.cuts != cuts,
        "rfm": [],
        "layer": [],
        "stage": [],
    }
    for (what, before, after), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        movement[what].append({"before": before, "after": after, "count": count})
    values = {
        "made_at": now,
        "figures": figures | {"made_at": now.isoformat(), "movement": movement, "books": books},
        "cuts": cuts,
    }
    kept, _ = Snapshot.objects.update_or_create(merchant=merchant, day=day, defaults=values)
    _keep_cuts(merchant, cuts["rfm"], day, now, actor)
    return kept


def _keep_cuts(merchant: Merchant, cuts: dict, day: date, now: datetime, actor: str) -> None:
    """A new chapter in the history of cut points, if these are others than the last ones up to the day."""
    former = CutPoints.objects.filter(merchant=merchant, day__lte=day).order_by("-day", "-id").first()
    if former is None or former.cuts != cuts:
        CutPoints.objects.create(merchant=merchant, day=day, made_at=now, actor=actor, own=cuts["own"], cuts=cuts)


def _keep_values(merchant: Merchant, kept: Snapshot, members: Members) -> None:
    """Leave R, F and M of all buyers as a file, for previews of other cut points. Only a copy: without it the table is read."""
    bought = members.order_days > 0
    path = values_path(merchant)
    part = path.with_name("values.part")
    with part.open("wb") as out:
        np.savez(
            out,
            mark=np.array(mark_of(kept)),
            days=(kpi.day_number(kept.day) - members.last_day[bought]).astype(np.int64),
            order_days=members.order_days[bought],
            net=members.net[bought],
        )
    part.replace(path)
