from datetime import date

import pytest

from shuke.flows import night, timetable
from shuke.insight.actions import scores
from shuke.insight.models import Movement, Snapshot
from shuke.insight.queries import figures
from shuke.kit import jobs
from shuke.kit.models import Job
from tests.insight.till import member, sell
from tests.insight.till import night as after

pytestmark = pytest.mark.django_db
DAY = date(2026, 4, 18)


def open_for_some_weeks(lan):
    mei = member(lan, "梅")
    for day in ("2026-02-20", "2026-03-01", "2026-03-11", "2026-04-17"):
        sell(lan, mei, day)


def run(lan, day: date = DAY) -> night.Night:
    return night.night_run(merchant=lan.merchant, day=day, now=after(lan, day.isoformat()))


def test_the_clock_comes_first_then_the_figures_then_the_seal(lan, monkeypatch):
    open_for_some_weeks(lan)
    steps = []

    def watched(room, name):
        real = getattr(room, name)
        monkeypatch.setattr(room, name, lambda **key: steps.append(name) or real(**key))

    for room, name in (
        (night.loyalty, "run_clock"),
        (night.insight, "backfill"),
        (night.insight, "snapshot"),
        (night.loyalty, "seal"),
    ):
        watched(room, name)
    run(lan)
    run(lan, date(2026, 4, 19))
    assert steps == ["run_clock", "backfill", "seal", "run_clock", "snapshot", "seal"]


def test_the_first_night_after_a_history_was_brought_shows_its_months(lan):
    open_for_some_weeks(lan)
    assert run(lan) == night.Night(DAY, members=0, postings=0, snapshots=3, sealed=0)
    assert figures.days(lan.merchant) == [date(2026, 2, 28), date(2026, 3, 31), DAY]
    assert run(lan, date(2026, 4, 19)).snapshots == 1


def test_a_night_before_any_history_does_not_spoil_the_first_one_after_it(lan):
    assert run(lan, date(2026, 4, 17)).snapshots == 1
    open_for_some_weeks(lan)
    assert run(lan).snapshots == 3
    assert figures.latest(lan.merchant)["kpi"]["buyers"] == 1
    assert not Movement.objects.filter(merchant=lan.merchant, day=DAY).exists()  # nobody moved: the history arrived


def test_a_night_killed_before_the_seal_is_simply_run_again(lan, monkeypatch):
    open_for_some_weeks(lan)
    with monkeypatch.context() as patched:
        patched.setattr(night.loyalty, "seal", lambda **key: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(lan)
    before = list(Snapshot.objects.order_by("day").values_list("day", "figures"))
    run(lan)
    assert list(Snapshot.objects.order_by("day").values_list("day", "figures")) == before


def test_a_first_night_killed_after_its_month_ends_finishes_the_day(lan, monkeypatch):
    open_for_some_weeks(lan)
    write = scores.write
    with monkeypatch.context() as patched:
        patched.setattr(scores, "write", lambda **key: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(lan)
    assert scores.write is write
    assert figures.days(lan.merchant) == [date(2026, 2, 28), date(2026, 3, 31)]
    assert run(lan).snapshots == 1
    assert figures.days(lan.merchant) == [date(2026, 2, 28), date(2026, 3, 31), DAY]
    assert not Movement.objects.filter(merchant=lan.merchant, day=DAY, before="").exists()


def test_the_worker_runs_the_night_that_the_timetable_asks_for(lan):
    open_for_some_weeks(lan)
    timetable.install()
    assert "night" in jobs.handlers()
    now = after(lan, "2026-04-18")
    id = jobs.enqueue("night", {"date": "2026-04-18"}, merchant_id=lan.merchant.pk, now=now)
    running = jobs.claim(worker="test", now=now)
    assert running is not None
    assert jobs.run(running) == "done"
    assert figures.latest(lan.merchant)["as_of"] == "2026-04-18"
    assert Job.objects.get(pk=id).progress["snapshots"] == 3


def test_a_night_of_a_shop_that_is_gone_fails_for_good(lan):
    timetable.install()
    now = after(lan, "2026-04-18")
    id = jobs.enqueue("night", {"date": "2026-04-18"}, merchant_id=1, now=now)
    running = jobs.claim(worker="test", now=now)
    assert running is not None
    jobs.run(running)
    job = Job.objects.get(pk=id)
    assert (job.state, "no longer exists" in job.error) == ("failed", True)
