"""The program as it is installed: start-up, homes that are not ready, the process tree of `serve`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.db import DatabaseError, OperationalError

from shuke.doors.cli import errors
from tests import tables
from tests.house.source import ROOT

# These homes have an SQLite of their own, whatever the suite runs on: once is enough.
pytestmark = pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="done by the run on SQLite")


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SHUKE_DEBUG")}
    return {**kept, "SHUKE_HOME": str(home), "SHUKE_LANGUAGE": "en", "PYTHONPATH": str(ROOT / "src"), **more}


def shuke(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shuke", *arguments],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("shop")
    tables.put(home / "shuke.sqlite3")
    made = shuke(home, "init", "--name", "兰记")
    assert made.returncode == 0, made.stderr
    return home


def test_help_loads_neither_django_nor_any_command():
    """What keeps `shuke --help` quick (measured in bench/): nothing heavy is imported."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shuke", "--help"],
        env=environment(Path("/nowhere")), capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0
    loaded = set(re.findall(r"\|\s+(\w+)", told.stderr))
    assert loaded & {"django", "rich", "numpy", "duckdb", "pydantic"} == set()


def test_help_speaks_the_language_of_the_terminal():
    chinese = shuke(Path("/nowhere"), "--help", SHUKE_LANGUAGE="zh")
    assert "导入" in chinese.stdout
    assert "take in order" in shuke(Path("/nowhere"), "--help", SHUKE_LANGUAGE="en").stdout


def test_a_home_without_a_database_says_what_to_run_and_makes_none(tmp_path):
    said = shuke(tmp_path, "stats", "--json")
    assert said.returncode == 3
    assert "shuke init" in json.loads(said.stdout)["error"]
    assert list(tmp_path.glob("*.sqlite3*")) == []


def copy_of(home: Path, target: Path) -> sqlite3.Connection:
    """The shop's database in another home, open for mischief."""
    with sqlite3.connect(home / "shuke.sqlite3") as source, sqlite3.connect(target / "shuke.sqlite3") as copy:
        source.backup(copy)
    return sqlite3.connect(target / "shuke.sqlite3")


def test_a_newer_database_is_left_alone(home, tmp_path):
    with copy_of(home, tmp_path) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('members', '0999_later', '2030-01-01')"
        )
    for command in ("stats", "init"):
        said = shuke(tmp_path, command)
        assert (said.returncode, "newer" in said.stderr) == (3, True), command


def test_an_older_database_is_not_touched_before_init(home, tmp_path):
    with copy_of(home, tmp_path) as database:
        database.execute("DELETE FROM django_migrations WHERE app = 'insight'")
    said = shuke(tmp_path, "stats")
    assert (said.returncode, "shuke init" in said.stderr) == (3, True)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    (tmp_path / "shuke.sqlite3").write_bytes(b"This is a letter, not a database. " * 40)
    said = shuke(tmp_path, "stats")
    assert (said.returncode, "is not a database" in said.stderr) == (3, True)
    assert "Traceback" not in said.stderr


def test_another_key_is_found_out_by_the_doctor_and_breaks_nothing(home, tmp_path):
    copy_of(home, tmp_path).close()
    said = shuke(tmp_path, "doctor", SHUKE_MASTER_KEY="not hexadecimal")
    assert said.returncode in (0, 3)
    assert "Traceback" not in said.stderr


def test_a_database_server_that_is_not_there(tmp_path):
    said = shuke(tmp_path, "stats", DATABASE_URL=f"postgresql://nobody@/nothing?host={tmp_path}")
    assert (said.returncode, "DATABASE_URL" in said.stderr) == (3, True), said.stderr


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (OSError(28, "No space left on device", "/somewhere"), "The disk is full (/somewhere)."),
        (OperationalError("database or disk is full"), "The disk is full"),
        (OperationalError("database is locked"), "Another process is writing"),
        (OperationalError("no such table: members_member"), "The database does not have the tables"),
        (OperationalError("unable to open database file"), "The database"),
        (DatabaseError("database disk image is malformed"), "The file"),
        (PermissionError(13, "Permission denied", "/somewhere"), "No permission for /somewhere."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_machine_that_is_not_ready_is_said_in_a_sentence(error, begins):
    sentence, code = errors.explain(error)
    assert (code, sentence[: len(begins)]) == (errors.NOT_READY, begins)


def test_a_mistake_of_ours_is_owned_up_to():
    sentence, code = errors.explain(ZeroDivisionError("division by zero"))
    assert (code, "ZeroDivisionError" in sentence, "SHUKE_DEBUG=1" in sentence) == (errors.OUR_MISTAKE, True, True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_port_in_use_is_said_at_once(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = shuke(home, "serve", "--port", str(port))
    assert (said.returncode, f"Port {port} is in use" in said.stderr) == (3, True)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"it did not happen within {seconds:.0f} s"
        time.sleep(0.05)


def test_serve_answers_starts_again_what_falls_over_and_ends_with_all_its_children(home):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "shuke", "serve", "--port", str(port), "--workers", "1", "--json"],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        lines = []
        while (line := server.stdout.readline()) and line.rstrip() != "}":
            lines.append(line)
        told = json.loads("".join(lines) + "}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=20) as answer:
            assert answer.status == 200
        worker = told["processes"]["worker"]
        os.kill(worker, signal.SIGKILL)
        heartbeat = home / "run" / "worker.heartbeat"
        wait_until(
            lambda: heartbeat.exists() and not json.loads(heartbeat.read_text())["worker"].endswith(f"-{worker}")
        )
        children = [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]
        assert len(children) == 2
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=40) == 0
        wait_until(lambda: not any(alive(pid) for pid in children))
    finally:
        server.kill()
        server.communicate()
