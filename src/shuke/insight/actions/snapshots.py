"""One night's insight: everything computed as of the end of a shop day, kept by day, so that movement shows."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
from django.db import connection, transaction

from shuke.engine.insight import kpi
from shuke.engine.insight.port import Port
from shuke.engine.insight.snapshot import Taken, take
from shuke.engine.insight.standing import Members, Published
from shuke.insight.actions import columns, scores
from shuke.insight.actions.scores import Move
from shuke.insight.actions.thinning import thin
from shuke.insight.actions.value import settle_groups, value_report
from shuke.insight.models import CutPoints, Movement, Snapshot
from shuke.insight.queries import analytics, profile_traits
from shuke.insight.queries.cut_points import mark_of, values_path
from shuke.insight.queries.figures import started
from shuke.insight.queries.value_visits import chance_of
from shuke.kit import bulk, clock
from shuke.kit.progress import Progress, Silent
from shuke.loyalty.queries.expiring import holders
from shuke.loyalty.queries.liability import liability
from shuke.loyalty.queries.member import tier_counts
from shuke.members.actions import Note, note
from shuke.members.models import MemberState
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
    value_report(merchant=merchant, day=day, now=now, groups=False)
    newest = Snapshot.objects.filter(merchant=merchant).order_by("-day").values_list("day", flat=True).first()
    comparable = started(merchant) and Snapshot.objects.filter(merchant=merchant, day__lt=day).exists()
    with _engine(merchant) as engine:
        taken = _take(engine, merchant, day, _published(merchant, day))
    with transaction.atomic():
        if newest is None or newest <= day:
            moved = scores.write(merchant=merchant, members=taken.members, day=day)
            _move(merchant, _whole_day(merchant, moved, day) if comparable else [], day, now)
            settle_groups(merchant=merchant, day=day)
        kept = _keep(merchant, taken, day, now, books=_books(merchant, now), actor=actor)
        if newest is None or newest <= day:
            transaction.on_commit(lambda: _keep_values(merchant, kept, taken.members))
    thin(merchant=merchant, day=day)
    return kept


def backfill(*, merchant: Merchant, day: date, now: datetime, progress: Progress | None = None) -> list[Snapshot]:
    """Month-end snapshots from the first month of the history up to `day`, then `day` itself; the snapshots made.

    For a shop that has just brought its history: trend and movement show at once. Days that have a snapshot keep it, so
    a killed run goes on where it was. Each month counts what is known today: a refund given since is already taken off.
    """
    shown = progress or Silent()
    columns.refresh(merchant=merchant, progress=progress)
    have = set(Snapshot.objects.filter(merchant=merchant).values_list("day", flat=True))
    ends = _month_ends(merchant, day)
    if all(end in have for end in ends):
        ends = []
    if ends:
        value_report(merchant=merchant, day=day, now=now, groups=False)  # stages of the past by what is known today
    made: list[Snapshot] = []
    before: Members | None = None
    former: Published | None = None
    shown.total(len(ends) + 1, "snapshots")
    with _engine(merchant) as engine:
        for end in ends:
            taken = _take(engine, merchant, end, former)
            if end not in have:
                with transaction.atomic():
                    if end == ends[-1] and not any(other > end for other in have):
                        scores.write(merchant=merchant, members=taken.members, day=end)
                    _move(merchant, scores.between(before, taken.members) if before else [], end, now)
                    made.append(_keep(merchant, taken, end, now))
            before, former = taken.members, taken.published
            shown.advance()
    if day not in have:
        made.append(snapshot(merchant=merchant, day=day, now=now))
    shown.advance()
    return made


def forget(*, merchant: Merchant, members: list[int]) -> None:
    """Purge what insight holds on people who asked to be forgotten: scores, movements, what is expected of them, profit."""
    for table in ("insight_member_score", "insight_movement", "insight_membervalue", "insight_memberprofit"):
        condition, parameter = bulk.among("member_id", members)
        bulk.execute(f"DELETE FROM {table} WHERE merchant_id = %s AND {condition}", [merchant.id, parameter])
    # A file for all members: the worker makes it anew without them.
    profile_traits.path(merchant).unlink(missing_ok=True)


def _engine(merchant: Merchant) -> Port:
    """The engine over the merchant's files and members; close it."""
    engine = analytics.opened()
    try:
        engine.files("heads", columns.files(merchant)["heads"])
        engine.table("members", _living(merchant))
    except BaseException:
        engine.close()
        raise
    return engine


def _living(merchant: Merchant) -> dict[str, np.ndarray]:
    epoch = (
        "FLOOR(EXTRACT(EPOCH FROM joined_at))::bigint"
        if bulk.is_postgres()
        else "CAST(strftime('%%s', joined_at) AS INTEGER)"
    )
    parts = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT id, {epoch}, COALESCE(home_store_id, 0) FROM members_member WHERE merchant_id = %s AND state = %s",
            [merchant.id, MemberState.ACTIVE],
        )
        while rows := cursor.fetchmany(20_000):
            parts.append(np.array(rows, dtype=np.int64))
    table = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
    return {
        "member": table[:, 0].copy(),
        "joined": columns.shop_days(table[:, 1], merchant.tz),
        "home_store": table[:, 2].copy(),
    }


def _take(engine: Port, merchant: Merchant, day: date, former: Published | None) -> Taken:
    names = {store.id: store.name for store in shops.stores(merchant)}
    taken = take(engine, as_of=day, former=former, stores=names, chance=chance_of(merchant))
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


def _whole_day(merchant: Merchant, moved: list[Move], day: date) -> list[Move]:
    """Movement of the whole day: what this run changed, on top of what an earlier run of the same day had changed."""
    earlier = {
        (member, what): (before, after)
        for member, what, before, after in Movement.objects.filter(merchant=merchant, day=day).values_list(
            "member_id", "what", "before", "after"
        )
    }
    for move in moved:
        before = earlier.get((move.member, move.what), (move.before,))[0]
        earlier[move.member, move.what] = (before, move.after)
    return [Move(member, what, before, after) for (member, what), (before, after) in earlier.items() if before != after]


def _move(merchant: Merchant, moved: list[Move], day: date, now: datetime) -> None:
    """Make `moved` the movement of the day, and note on timelines the changes of stage not noted by an earlier run.

    Classes and layers are not noted: they change more often than anybody wants to read.
    """
    told = set(
        Movement.objects.filter(merchant=merchant, day=day, what="stage").values_list("member_id", "before", "after")
    )
    bulk.execute("DELETE FROM insight_movement WHERE merchant_id = %s AND day = %s", [merchant.id, day])
    bulk.insert(
        "insight_movement",
        ("id", "merchant_id", "member_id", "day", "what", "before", "after"),
        scores.movement_rows(merchant, moved, day),
    )
    end_of_day = clock.day_start(day + timedelta(days=1), merchant.tz) - timedelta(seconds=1)
    lines = [
        Note(
            move.member,
            end_of_day,
            "stage.changed",
            f"day:{day.isoformat()}",
            {"before": move.before, "after": move.after},
        )
        for move in moved
        if move.what == "stage" and (move.member, move.before, move.after) not in told
    ]
    note(merchant=merchant, lines=lines, now=now)


def _books(merchant: Merchant, now: datetime) -> dict:
    """What the points books say now: adding up every lot and leg is for the night, not for each look at a page."""
    owed = liability(merchant, now)
    lapsing = holders(merchant, [month for month, _points, _money in owed.by_month], now)
    return owed._asdict() | {"now": now.isoformat(), "tiers": tier_counts(merchant), "holders": lapsing}


def _keep(
    merchant: Merchant, taken: Taken, day: date, now: datetime, *, books: dict | None = None, actor: str = ""
) -> Snapshot:
    """Write the day's row, with the movement as it stands in the table. `books` are not known of a day long past."""
    former = Snapshot.objects.filter(merchant=merchant, day__lt=day).order_by("-day").only("day", "cuts").first()
    cuts = taken.published.to_json()
    counts = Counter(Movement.objects.filter(merchant=merchant, day=day).values_list("what", "before", "after"))
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
        "figures": taken.figures | {"made_at": now.isoformat(), "movement": movement, "books": books},
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
