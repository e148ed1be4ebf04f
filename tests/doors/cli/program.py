"""`shuke …` as a process of its own for every call, without the second each would take to load Django and the rooms.

One process loads them, knows nothing else, and makes a copy of itself for each call: no call sees what another did. What only
a start from nothing shows (what is loaded, the answer of `serve`, a disk that is full) is tried with one in test_program.py.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.house.source import ROOT

PATIENCE = 300  # seconds until a call that does not end is ended
ROOMS = ("shuke.flows.imports", "shuke.flows.stats", "shuke.doors.cli.commands.imports", "rich.table")


class Program:
    """`program("import", "orders.csv")`: what the process said, and with which code it ended."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.write(json.dumps(arguments) + "\n")
        self._running.stdin.flush()
        return subprocess.CompletedProcess(["shuke", *arguments], **json.loads(self._running.stdout.readline()))


@contextmanager
def started(environment: dict[str, str]) -> Iterator[Program]:
    path = os.pathsep.join([environment["PYTHONPATH"], str(ROOT)])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.doors.cli.program"],
        env=environment | {"PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        yield Program(running)


# ---- in that process ----------------------------------------------------------------------------------------------


def called() -> list[str]:
    """Waits for a call and returns in a copy of this process, with the words of the call."""
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if (copy := os.fork()) == 0:
                for ours, theirs in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out.fileno()), (2, err.fileno())):
                    os.dup2(theirs, ours)
                signal.alarm(PATIENCE)
                return json.loads(line)
            code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
            print(json.dumps({"returncode": code, "stdout": _text(out), "stderr": _text(err)}), flush=True)
    sys.exit()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


if __name__ == "__main__":
    from django.db import connections

    from shuke.doors.cli.desk import start_django
    from shuke.doors.cli.main import cli

    start_django()
    for room in ROOMS:
        importlib.import_module(room)
    sys.argv = ["shuke", *called()]
    try:
        cli(prog_name="shuke")
    except SystemExit as end:
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))  # to take everything down that was loaded takes longer than the call
