"""What happens by itself, and when: in the shop's own time, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shuke.flows import timetable
from shuke.kit import jobs
from shuke.kit.models import Job
from shuke.loyalty.queries import last_verification
from shuke.shops import actions
from tests import cast

# 02:00 in Shanghai on 2 June is 18:00 on 1 June in UTC.
TWO_AT_NIGHT = datetime(2026, 6, 1, 18, 0, tzinfo=UTC)


def keys(job="night"):
    return sorted(Job.objects.filter(name=job).values_list("key", flat=True))


def test_the_night_run_is_about_the_day_that_is_over(lan):
    assert timetable.night_due(lan.merchant, TWO_AT_NIGHT) == date(2026, 6, 1)
    assert timetable.night_due(lan.merchant, TWO_AT_NIGHT - timedelta(seconds=1)) == date(2026, 5, 31)


def test_a_shop_has_no_night_before_its_first_day_is_over(lan):
    assert timetable.night_due(lan.merchant, cast.OPENED) is None
    assert timetable.night_due(lan.merchant, datetime(2026, 1, 1, 17, 59, tzinfo=UTC)) is None
    assert timetable.night_due(lan.merchant, datetime(2026, 1, 1, 18, 0, tzinfo=UTC)) == date(2026, 1, 1)


def test_ticking_twice_or_by_two_workers_makes_each_job_once(lan, mingde):
    assert timetable.tick(TWO_AT_NIGHT) == 4  # and a look at the books for the day before, which nobody took yet
    assert timetable.tick(TWO_AT_NIGHT) == 0
    assert timetable.tick(TWO_AT_NIGHT + timedelta(minutes=89)) == 0
    assert timetable.tick(TWO_AT_NIGHT + timedelta(minutes=90)) == 2
    assert timetable.tick(TWO_AT_NIGHT + timedelta(hours=5)) == 0
    assert keys() == sorted(f"night:{shop.merchant.pk}:2026-06-01" for shop in (lan, mingde))
    assert keys("verify") == sorted(
        f"verify:{shop.merchant.pk}:2026-{day}" for shop in (lan, mingde) for day in ("05-31", "06-01")
    )
    assert timetable.tick(TWO_AT_NIGHT + timedelta(days=1)) == 2


def test_nights_missed_while_no_worker_ran_become_one(lan):
    timetable.tick(TWO_AT_NIGHT + timedelta(days=9))
    assert keys() == [f"night:{lan.merchant.pk}:2026-06-10"]
    assert Job.objects.get(name="night").arguments == {"date": "2026-06-10"}


def test_a_shop_with_a_shifted_clock_has_its_own_nights(lan):
    actions.set_clock_shift(merchant=lan.merchant, seconds=-86_400)
    timetable.tick(TWO_AT_NIGHT)
    assert keys() == [f"night:{lan.merchant.pk}:2026-05-31"]


def test_a_night_run_by_hand_is_not_run_again(lan):
    timetable.book_night(lan.merchant, date(2026, 6, 1))
    timetable.tick(TWO_AT_NIGHT)
    assert Job.objects.get(name="night").state == "done"


@pytest.mark.django_db(transaction=True)
def test_every_job_of_the_timetable_has_a_handler_and_the_night_runs_through():
    shop = cast.lan()
    timetable.install()
    assert {entry.job for entry in timetable.TIMETABLE} <= set(jobs.handlers())
    from shuke.engine.charter import document
    from shuke.loyalty.actions import publish_charter

    publish_charter(
        merchant=shop.merchant, charter=document.ready(), effective_from=cast.OPENED, now=cast.OPENED, actor="test"
    )
    timetable.tick(TWO_AT_NIGHT)
    running = jobs.claim(worker="w", now=TWO_AT_NIGHT)
    assert running.name == "night"
    assert jobs.run(running) == "done", Job.objects.get(pk=running.id).error
    looking = jobs.claim(worker="w", now=TWO_AT_NIGHT)
    assert looking.name == "verify"
    assert jobs.run(looking) == "done", Job.objects.get(pk=looking.id).error
    told = last_verification(shop.merchant)
    assert (told.whole, told.ok) == (True, True)
