"""T8: the API's processes are killed under load, at the worst moments and at any. Whoever sends a request again with its key
gets one outcome; nothing acknowledged is lost, nothing is half done, and the server comes back by itself."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from shuke.kit import clock
from shuke.loyalty import queries
from shuke.shops.actions import make_token
from tests import cast
from tests.house.source import ROOT
from tests.trust import SEED, SOAK, size
from tests.trust.shop import LATER, figures, furnish

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS, REQUESTS = 8 if SOAK else 3, size(25, 800)
EVERY = 30  # one request in so many kills the process that does it
POINTS = size(500, 40_000)  # of one member, whom all clients serve: some are told that there is not enough
WHOLE = size(1, 20)  # times the whole server is killed


class Server:
    """gunicorn as `shuke serve` starts it, on the database of this very test; loaded once, so that the killed are back at once."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
        self._env = kept | {
            "SHUKE_HOME": str(home),
            "SHUKE_MASTER_KEY": settings.SHUKE_MASTER_KEY,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        if connection.vendor == "postgresql":
            told = connection.get_connection_params()
            rest = "&".join(f"{k}={quote(str(told[k]), safe='')}" for k in ("host", "port", "password") if told.get(k))
            self._env["DATABASE_URL"] = f"postgresql://{told.get('user', '')}@/{told['dbname']}?{rest}"
        else:
            (home / "shuke.sqlite3").symlink_to(connection.settings_dict["NAME"])
        self._log = home / "log"
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "tests.trust.dying:application",
            "--bind",
            f"127.0.0.1:{self.port}",
        ]
        command += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket", "--preload"]
        with open(self._log, "ab") as log:
            self._main = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        self._killing = False

    def complain_if_gone(self) -> None:
        if not self._killing and self._main.poll() is not None:
            raise RuntimeError(f"The server ended by itself.\n{self._log.read_text()[-3000:]}")

    def kill_all(self) -> None:
        self._killing = True
        for pid in (self._main.pid, *self._workers()):
            os.kill(pid, signal.SIGKILL)
        self._main.wait()

    def stop(self) -> None:
        self._main.terminate()
        try:
            self._main.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill_all()

    def _workers(self) -> list[int]:
        told = Path(f"/proc/{self._main.pid}/task/{self._main.pid}/children").read_text()
        return [int(pid) for pid in told.split()]


@contextmanager
def server_of(home: Path) -> Iterator[Server]:
    server = Server(home)
    try:
        yield server
    finally:
        server.stop()


class Client(threading.Thread):
    """Spends and gives back, writes down every request and every answer, and asks again until there is one."""

    def __init__(self, server: Server, token: str, number: int, card: str, *, careless: bool = False) -> None:
        super().__init__(daemon=True)
        self.server, self.token, self.number, self.card, self.careless = server, token, number, card, careless
        self.answers: dict[str, tuple[str, dict, int, dict]] = {}  # key → what was asked, where, and the answer
        self.broken = 0

    def run(self) -> None:
        rng = random.Random(SEED * 100 + self.number)
        spent: list[str] = []
        for n in range(REQUESTS):
            key = f"{self.number}-{n}"
            if spent and rng.random() < 0.3:
                self.send(key, "return", {"points": 1, "of": rng.choice(spent)}, _death(rng))
            else:
                self.send(key, "spend", {"points": rng.randint(1, 30)}, _death(rng) or ("after" if n == 1 else ""))
                spent.append(key)

    def send(self, key: str, what: str, body: dict, death: str = "") -> None:
        while True:
            try:
                status, told = self.post(key, what, body, death)
            except ConnectionRefusedError:  # it is not up yet
                self.server.complain_if_gone()
                time.sleep(0.05)
                continue
            except (OSError, http.client.HTTPException):
                self.broken += 1
                death = ""
                key = f"{key}!" if self.careless else key
                continue
            if status == 503:
                continue
            self.answers[key] = what, body, status, told
            return

    def again(self, key: str, what: str, body: dict) -> tuple[int, dict]:
        """The same once more, of a server that may just be coming back."""
        while True:
            try:
                return self.post(key, what, body)
            except (OSError, http.client.HTTPException):
                self.server.complain_if_gone()
                time.sleep(0.05)

    def post(self, key: str, what: str, body: dict, death: str = "") -> tuple[int, dict]:
        link = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {"X-Die": death} if death else {}
        try:
            link.request("POST", f"/api/v1/members/{self.card}/points/{what}", json.dumps(body | {"key": key}), headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()


def _death(rng: random.Random) -> str:
    return rng.choice(["before", "after"]) if rng.random() < 1 / EVERY else ""


def wait_for_answers(clients: list[Client], count: int) -> None:
    while sum(len(client.answers) for client in clients) < count and any(client.is_alive() for client in clients):
        time.sleep(0.02)


def missing(merchant, buyer: int, clients: list[Client]) -> int:
    """How many points the books have fewer than the answers of their clients say."""
    spent = 0
    for what, body, status, _ in (a for client in clients for a in client.answers.values()):
        if status == 200:
            spent += body["points"] if what == "spend" else -body["points"]
    return POINTS - spent - figures(merchant, buyer)[0]


def test_one_outcome_for_each_key_however_often_the_server_is_killed(tmp_path):
    merchant, (buyer, other) = furnish(2, POINTS)
    merchant.clock_shift = round((LATER - clock.utc_now()).total_seconds())
    merchant.save(update_fields=["clock_shift"])
    _, token = make_token(merchant=merchant, name="till", may_write=True, now=cast.OPENED)
    connection.close()
    with server_of(tmp_path) as server:
        # The planted fault: a client that takes a new key when it got no answer pays twice, and the sum shows it.
        careless = Client(server, token, 99, "00000002", careless=True)
        careless.send("once", "spend", {"points": 7}, "after")
        assert missing(merchant, other, [careless]) == 7

        clients = [Client(server, token, n, "00000001") for n in range(CLIENTS)]
        for client in clients:
            client.start()
        for n in range(1, WHOLE + 1):
            wait_for_answers(clients, CLIENTS * REQUESTS * n // (WHOLE + 1))
            server.kill_all()
            server.start()
        for client in clients:
            client.join(timeout=120 + REQUESTS)
            assert not client.is_alive()
        for client in clients:
            assert len(client.answers) == REQUESTS
            for key, (what, body, status, told) in client.answers.items():
                assert status in (200, 409), told
                again = client.again(key, what, body)
                assert again == (status, told | {"replayed": True} if status == 200 else told)
        assert missing(merchant, buyer, clients) == 0
    assert sum(client.broken for client in clients) >= 1
    assert queries.verify(merchant).findings == []
