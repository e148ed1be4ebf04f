"""The tables of docs/algorithms/jobs.md: the life of a job, the fence and the timetable, executed."""

import re
from datetime import timedelta

import pytest

from shuke.flows.timetable import TIMETABLE, Daily, key_of
from shuke.kit import jobs
from shuke.kit.models import Job
from tests.cast import NOON
from tests.engine.insight.worked import table

pytestmark = pytest.mark.django_db
LATER = NOON + jobs.LEASE + timedelta(seconds=1)
SPANS = {"minute": 1, "5 minutes": 5, "hour": 60}


def add(**more) -> int:
    return jobs.enqueue("work", {}, merchant_id=None, now=NOON, **more)


def claim(now=NOON):
    return jobs.claim(worker="w", now=now)


def fails(error: Exception):
    def work(running):
        raise error

    return work


def life() -> list[tuple[str, str]]:
    """What becomes of a job in each case of the table, in its order."""
    seen = []
    first = add()
    running = claim()
    seen.append(("ready", state(first)))
    jobs._handlers["work"] = lambda running: None
    jobs.run(running)
    seen.append(("running", state(first)))
    for error in (RuntimeError("again"), jobs.Permanent("never")):
        jobs._handlers["work"] = fails(error)
        one = add()
        jobs.run(claim())
        seen.append(("running", state(one)))
    silent = add()
    before = claim()
    taken = claim(LATER)
    assert (taken.id, taken.attempt) == (before.id, before.attempt + 1)
    seen.append(("running", state(silent)))
    Job.objects.filter(pk=silent).update(max_attempts=2)
    claim(LATER + jobs.LEASE + timedelta(seconds=1))
    seen.append(("running", state(silent)))
    assert jobs.try_again(silent, merchant_id=None, now=NOON)
    seen.append(("failed", state(silent)))
    return seen


def state(job: int) -> str:
    return Job.objects.get(pk=job).state


def test_the_life_of_a_job(monkeypatch):
    monkeypatch.setattr(jobs, "_handlers", {})
    assert life() == [(row["state"], row["becomes"]) for row in table("jobs", "state")]


def test_the_fence(monkeypatch):
    """Worker A sleeps beyond its lease; B has done the job when A wakes."""
    rows = table("jobs", "time")
    at = [NOON + timedelta(seconds=int(row["time"].split()[0])) for row in rows]
    add()
    slow = jobs.claim(worker="A", now=at[0])
    quick = jobs.claim(worker="B", now=at[2])
    assert (slow.attempt, quick.attempt) == (1, 2)
    with quick.last_step():
        pass
    with pytest.raises(jobs.LeaseLost), slow.last_step():
        pass
    assert "LeaseLost" in rows[3]["worker A (attempt 1)"]


def test_the_timetable(lan):
    rows = {row["schedule"]: row["key"].strip("`") for row in table("jobs", "schedule")}
    assert list(rows) == [entry.job for entry in TIMETABLE]
    for entry in TIMETABLE:
        job, _, slot = rows[entry.job].split(":")
        assert job == entry.job
        span = re.fullmatch("<(.+)>", slot)[1]
        if isinstance(entry, Daily):
            assert (span, key_of(entry, lan.merchant, NOON.date())) == ("day", f"{job}:{lan.merchant.pk}:2026-06-01")
        else:
            assert entry.every == timedelta(minutes=SPANS[span])
