"""Eight members whose points add up to 10,000 for ever, tills that hand points round, somebody who reads, somebody who kills.

Every till writes down what it is about to ask before it asks, and what it was answered: its log is a file, which survives a
`kill -9`. Whoever takes a dead till's place first asks again what had no answer.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, connection, connections, transaction

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, Transfer
from shuke.shops.models import Merchant
from tests.trust.shop import LATER

MEMBERS, EACH = 8, 1250
TOTAL = MEMBERS * EACH
TILLS = 3
PATIENCE = 120.0  # seconds
FORK = multiprocessing.get_context("fork")


class Found(NamedTuple):
    reads: int
    odd: list[str]  # reads that did not add up, or with somebody below 0
    acknowledged: int
    in_doubt: int  # asked, never answered: they are resolved when asked again
    wrong: list[str]  # acknowledged and lost, or answered in two ways
    longest: float  # seconds until a till had its answer


class Bank:
    def __init__(self, merchant: Merchant, members: list[int], folder: Path, *, careless: bool = False) -> None:
        self.merchant, self.members, self.folder, self.careless = merchant, members, folder, careless
        self._over = (
            folder / "over"
        )  # a file, not an Event: who is killed while it looks at one holds its lock for ever
        self._tills: list = []
        self._made = 0

    @contextmanager
    def open(self) -> Iterator[Bank]:
        connections.close_all()  # a connection does not survive the fork
        reader = FORK.Process(target=self._read)
        reader.start()
        self._tills = [self._till(f"till{n}") for n in range(TILLS)]
        try:
            yield self
        finally:
            self._over.touch()
            for process in (reader, *self._tills):
                process.join(timeout=120)
                if process.exitcode is None:
                    process.kill()

    def kill_a_till(self, rng: random.Random) -> None:
        n = rng.randrange(TILLS)
        dead = self._tills[n]
        os.kill(dead.pid, signal.SIGKILL)
        dead.join()
        self._tills[n] = self._till(f"till{n}")

    def wait_for_work(self, answers: int = 5, reads: int = 5) -> None:
        """Until there are so many more answers and reads than now: a busy machine takes its time."""
        before, end = self._work_done(), time.monotonic() + PATIENCE
        while any(now < then + n for now, then, n in zip(self._work_done(), before, (answers, reads), strict=True)):
            assert time.monotonic() < end, f"nothing happens any more: {self._work_done()} answers and reads"
            time.sleep(0.02)

    def _work_done(self) -> tuple[int, int]:
        logs = [self.folder / f"till{n}.log" for n in range(TILLS)]
        answers = sum(log.read_bytes().count(b'["answer"') for log in logs if log.exists())
        reader = self.folder / "reader.log"
        return answers, reader.read_bytes().count(b"\n") if reader.exists() else 0

    def _till(self, name: str):
        self._made += 1
        process = FORK.Process(target=self._work, args=(name, self._made))
        process.start()
        return process

    # -- processes of their own ----------------------------------------------------------------------------------

    def _work(self, name: str, seed: int) -> None:
        rng = random.Random(seed)
        log = Log(self.folder / f"{name}.log")
        for one in log.unanswered():
            self._until_answered(log, one)
        n = 0
        while not self._over.exists():
            giver, receiver = rng.sample(self.members, 2)
            one = Transfer(f"{name}-{seed}-{n}", giver, receiver, rng.randint(1, 200))
            n += 1
            log.write("ask", list(one))
            self._until_answered(log, one)
        connections.close_all()

    def _until_answered(self, log: Log, one: Transfer) -> None:
        start = time.monotonic()
        while True:
            try:
                told = _take_then_give(self.merchant, one) if self.careless else do(self.merchant, one)[0]
            except (OperationalError, InterfaceError):
                connections.close_all()
                if time.monotonic() - start > 60:
                    raise
                time.sleep(0.02)
                continue
            log.write("answer", [one.key, *told, time.monotonic() - start])
            return

    def _read(self) -> None:
        log = Log(self.folder / "reader.log")
        while not self._over.exists():
            try:
                connection.ensure_connection()
                if connection.vendor == "sqlite":
                    connection.transaction_mode = "DEFERRED"  # a reader wants a snapshot, not the right to write
                with transaction.atomic():
                    if connection.vendor == "postgresql":
                        with connection.cursor() as cursor:
                            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    told = queries.balances(self.merchant, self.members, LATER)
            except (OperationalError, InterfaceError):
                connections.close_all()
                time.sleep(0.02)
                continue
            log.write("read", [sum(b.balance for b in told.values()), min(b.available for b in told.values())])
            time.sleep(0.002)  # the tills want to work, too
        connections.close_all()

    # -- afterwards ----------------------------------------------------------------------------------------------

    def reads(self) -> tuple[int, list[str]]:
        """How many, and those that did not add up or saw somebody below 0."""
        reads = [told for _, told in Log(self.folder / "reader.log").lines()]
        return len(reads), [
            f"{total} points, the poorest {least}" for total, least in reads if total != TOTAL or least < 0
        ]

    def found(self) -> Found:
        """What the logs say against what the books say; what had no answer is asked again, everything twice."""
        logs = [Log(self.folder / f"till{n}.log") for n in range(TILLS)]
        asked = [one for log in logs for one in log.asked()]
        answers = {told[0]: told[1:] for log in logs for kind, told in log.lines() if kind == "answer"}
        first, second = self._again(asked), self._again(asked)
        wrong = [f"{one}: {answers[one.key]}, then {told}" for one, told in first if one.key in answers
                 and list(told) != answers[one.key][:-1]]  # fmt: skip
        wrong += [
            f"{one}: {told}, then {last[1]}" for (one, told), last in zip(first, second, strict=True) if told != last[1]
        ]
        longest = max(told[-1] for told in answers.values())
        return Found(*self.reads(), len(answers), len(asked) - len(answers), wrong, longest)

    def _again(self, asked: list[Transfer]) -> list[tuple[Transfer, tuple]]:
        told: list[tuple] = []
        for i in range(0, len(asked), 200):
            told += do(self.merchant, *asked[i : i + 200])
        return list(zip(asked, told, strict=True))


class Log:
    """Lines of JSON. A line is written with one call, so that a kill leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, kind: str, told: list) -> None:
        os.write(self._file, (json.dumps([kind, told]) + "\n").encode())

    def lines(self) -> list[tuple[str, list]]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def asked(self) -> list[Transfer]:
        return [Transfer(*told) for kind, told in self.lines() if kind == "ask"]

    def unanswered(self) -> list[Transfer]:
        answered = {told[0] for kind, told in self.lines() if kind == "answer"}
        return [one for one in self.asked() if one.key not in answered]


def do(merchant: Merchant, *asked: Transfer) -> list[tuple[bool, str, dict]]:
    answers = actions.transfer(merchant=merchant, transfers=asked, now=LATER, actor="till")
    return [(told.done, told.code, told.figures) for told in answers]


def _take_then_give(merchant: Merchant, one: Transfer) -> tuple[bool, str, dict]:
    """The planted fault: two bookings, each right by itself, with a moment between them."""
    taken = actions.ask(merchant=merchant, asks=[Ask(one.key, "burn", one.giver, one.amount)], now=LATER, actor="till")[
        0
    ]
    if taken.done:
        time.sleep(0.005)
        given = Ask(f"{one.key}+", "adjust", one.receiver, one.amount)
        actions.ask(merchant=merchant, asks=[given], now=LATER, actor="till")
    return taken.done, taken.code, taken.figures


def run(
    bank: Bank, times: int, every: float, deeds: list[Callable[[random.Random], None]], seed: int, answers: int = 5
) -> None:
    """Let the bank work and do so many deeds meanwhile, in turn, one every so often; never before it gave so many answers."""
    rng = random.Random(seed)
    with bank.open():
        for n in range(times):
            bank.wait_for_work(answers)
            time.sleep(every * rng.uniform(0.5, 1))
            deeds[n % len(deeds)](rng)
        bank.wait_for_work()  # what was started last works, too
