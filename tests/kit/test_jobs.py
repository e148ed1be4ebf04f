"""Jobs: claimed once, tried again, safe to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from shuke.kit import audit, clock, jobs
from shuke.kit.models import AuditLine, Job
from shuke.kit.worker import Worker, last_heartbeat
from tests.cast import NOON

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def handlers(monkeypatch):
    """A registry of this test's own."""
    registry: dict[str, jobs.Handler] = {}
    monkeypatch.setattr(jobs, "_handlers", registry)
    return registry


def enqueue(name="work", **more):
    return jobs.enqueue(name, more.pop("arguments", {}), merchant_id=None, now=more.pop("now", NOON), **more)


def facts(job_id):
    job = Job.objects.get(pk=job_id)
    return job.state, job.attempts, job.error


def test_a_job_is_done_once(db, handlers):
    done = []
    handlers["work"] = lambda running: done.append(running.arguments)
    job = enqueue(arguments={"a": 1})
    assert jobs.run(jobs.claim(worker="w", now=NOON)) == "done"
    assert jobs.claim(worker="w", now=NOON) is None
    assert done == [{"a": 1}]
    assert facts(job) == ("done", 1, "")


def test_a_job_waits_until_it_is_due_and_the_earlier_goes_first(db):
    late = enqueue(due_at=NOON + timedelta(hours=1))
    soon = enqueue(due_at=NOON + timedelta(minutes=1))
    assert jobs.claim(worker="w", now=NOON) is None
    taken = [jobs.claim(worker="w", now=NOON + timedelta(hours=2)).id for _ in range(2)]
    assert taken == [soon, late]


def test_a_key_makes_one_job_ever_also_after_it_is_done(db, handlers):
    handlers["work"] = lambda running: None
    first = enqueue(key="night:1:2026-06-01")
    jobs.run(jobs.claim(worker="w", now=NOON))
    assert enqueue(key="night:1:2026-06-01") == first
    assert jobs.claim(worker="w", now=NOON) is None
    assert jobs.known_keys(["night:1:2026-06-01", "night:1:2026-06-02"]) == {"night:1:2026-06-01"}


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_enqueue_never_runs():
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)
    assert Job.objects.count() == 0
    assert jobs.claim(worker="w", now=NOON) is None


def test_arguments_that_are_not_json_are_refused_where_the_mistake_is(db):
    with pytest.raises(TypeError):
        enqueue(arguments={"when": NOON})
    assert Job.objects.count() == 0


def test_a_failure_is_tried_again_later_and_later_and_then_given_up(db, handlers, monkeypatch):
    monkeypatch.setattr(clock, "utc_now", lambda: NOON)

    def fail(running):
        raise ConnectionError(f"attempt {running.attempt}")

    handlers["work"] = fail
    job = enqueue(max_attempts=3)
    pauses = []
    for _ in range(2):
        due = Job.objects.get(pk=job).due_at
        assert jobs.run(jobs.claim(worker="w", now=due)) == "retry"
        pauses.append(Job.objects.get(pk=job).due_at - NOON)
    assert timedelta(seconds=2.5) <= pauses[0] <= timedelta(seconds=7.5)
    assert timedelta(seconds=5) <= pauses[1] <= timedelta(seconds=15)
    assert jobs.run(jobs.claim(worker="w", now=NOON + timedelta(hours=1))) == "failed"
    assert facts(job) == ("failed", 3, "ConnectionError: attempt 3")
    assert jobs.try_again(job, merchant_id=None, now=NOON)
    assert facts(job) == ("ready", 0, "")


def test_pauses_double_up_to_an_hour():
    assert [jobs.pause_after(n, 1.0).total_seconds() for n in (1, 2, 3, 10, 11, 500)] == [5, 10, 20, 2560, 3600, 3600]


def test_a_permanent_error_fails_at_once_with_its_own_sentence(db, handlers):
    def refuse(running):
        raise jobs.Permanent("The file was removed.")

    handlers["work"] = refuse
    job = enqueue()
    assert jobs.run(jobs.claim(worker="w", now=NOON)) == "failed"
    assert facts(job) == ("failed", 1, "The file was removed.")


def test_a_job_nobody_knows_fails_and_says_so(db, handlers):
    job = enqueue("unheard-of")
    assert jobs.run(jobs.claim(worker="w", now=NOON)) == "failed"
    assert facts(job) == ("failed", 1, "NoHandler: No handler is installed for the job “unheard-of”.")


def test_a_silent_worker_loses_its_job_to_another_and_its_late_effect_is_undone(db):
    job = enqueue()
    slow = jobs.claim(worker="slow", now=NOON)
    assert jobs.claim(worker="other", now=NOON + jobs.LEASE) is None
    other = jobs.claim(worker="other", now=NOON + jobs.LEASE + timedelta(seconds=1))
    assert (other.id, other.attempt) == (job, 2)
    with pytest.raises(jobs.LeaseLost), slow.last_step():
        audit.record(merchant_id=None, at=NOON, actor="slow", verb="effect")
    with pytest.raises(jobs.LeaseLost):
        slow.progress(1, 2)
    with other.last_step():
        audit.record(merchant_id=None, at=NOON, actor="other", verb="effect")
    assert list(AuditLine.objects.values_list("actor", flat=True)) == ["other"]
    assert facts(job) == ("done", 2, "")


def test_a_job_that_kills_its_workers_is_given_up(db):
    job = enqueue(max_attempts=2)
    moment = NOON
    for _ in range(2):
        assert jobs.claim(worker="w", now=moment).id == job
        moment += jobs.LEASE * 2
    assert jobs.claim(worker="w", now=moment) is None
    assert facts(job) == ("failed", 2, "Its worker stopped without a word 2 times.")


def test_progress_can_be_read_while_it_runs(db):
    job = enqueue()
    running = jobs.claim(worker="w", now=NOON)
    running.progress(3, 10, note="orders", rejected=1)
    assert jobs.find(job, merchant_id=None).progress == {"done": 3, "total": 10, "note": "orders", "rejected": 1}
    assert jobs.find(job, merchant_id=7) is None


def test_done_jobs_are_forgotten_after_a_while_and_failed_ones_are_not(db):
    long_ago = NOON - jobs.KEEP_DONE - timedelta(days=1)
    old, young, failed = enqueue(), enqueue(), enqueue()
    Job.objects.filter(pk__in=[old, young]).update(state="done", ended_at=NOON)
    Job.objects.filter(pk=old).update(ended_at=long_ago)
    Job.objects.filter(pk=failed).update(state="failed", ended_at=long_ago)
    assert jobs.sweep(NOON) == 1
    assert set(Job.objects.values_list("id", flat=True)) == {young, failed}


@pytest.mark.django_db(transaction=True)
def test_several_workers_never_claim_the_same_job():
    wanted = {enqueue() for _ in range(40)}
    claimed: list[int] = []

    def take(name):
        try:
            while running := jobs.claim(worker=name, now=NOON):
                claimed.append(running.id)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while running := jobs.claim(worker="rest", now=NOON):  # a thread that lost eight races in a row went home early
        claimed.append(running.id)
    assert Counter(claimed) == Counter(wanted)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_extends_the_lease_during_a_long_job(handlers):
    leases = []

    def long(running):
        start = Job.objects.get(pk=running.id).lease_until
        while (lease := Job.objects.get(pk=running.id).lease_until) == start:
            time.sleep(0.01)
        leases.append(lease > start)

    handlers["work"] = long
    enqueue()
    assert jobs.run(jobs.claim(worker="w", now=clock.utc_now()), beat_every=0.05) == "done"
    assert leases == [True]


def test_the_worker_asks_the_timetable_works_and_shows_life(db, handlers):
    ticks, lines = [], []
    handlers["work"] = lambda running: None
    enqueue()
    enqueue()
    worker = Worker(tick=ticks.append, tell=lines.append)
    assert worker.run(once=True) == {"done": 2}
    assert len(ticks) == 1
    assert [line.split()[2] for line in lines] == ["done", "done"]
    assert last_heartbeat()["worker"] == worker.name


@pytest.mark.django_db(transaction=True)
def test_killed_workers_lose_nothing_and_double_nothing(tmp_path):
    for number in range(60):
        enqueue("effect", arguments={"number": number, "fails": number % 12 == 0})
    first = start_worker(tmp_path)
    try:
        wait_until(lambda: AuditLine.objects.filter(verb="effect").count() >= 20)
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.kill()
        first.wait()
    assert Job.objects.exclude(state="done").exists(), "the worker was through before it could be killed"
    second = start_worker(tmp_path)
    assert second.wait(timeout=60) == 0
    effects = Counter(AuditLine.objects.filter(verb="effect").values_list("object", flat=True))
    assert effects == Counter({str(number): 1 for number in range(60)})
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_stop_finishes_its_job_first(tmp_path):
    for number in range(200):
        enqueue("effect", arguments={"number": number})
    worker = start_worker(tmp_path)
    wait_until(lambda: AuditLine.objects.filter(verb="effect").exists())
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    assert set(Job.objects.values_list("state", flat=True)) == {"ready", "done"}  # none is left running
    assert AuditLine.objects.filter(verb="effect").count() == Job.objects.filter(state="done").count()


def start_worker(home: Path) -> subprocess.Popen:
    database = str(connection.settings_dict["NAME"])
    environment = {
        **os.environ,
        "SHUKE_HOME": str(home),
        "SHUKE_TEST_DATABASE": database,
        "PYTHONPATH": f"{ROOT}/src:{ROOT}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kit.worker_process"], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def wait_until(true) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not happen within 30 s"
        time.sleep(0.01)
