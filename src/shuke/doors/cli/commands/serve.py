"""`shuke serve`: the console with its API under gunicorn, and one worker, as one process tree."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import NotReady
from shuke.doors.cli.words import _

GRACE = 30.0  # seconds a child gets to finish what it has in hand
QUICK = 10.0  # a child that ends sooner than this after its start counts as a failed start
TRIES = 5


@declared(
    "serve",
    _("Open the console and the API, with a worker beside them. Ctrl-C stops all of it."),
    "shuke serve\nshuke serve --host 0.0.0.0 --port 8080",
)
@click.option("--host", default="127.0.0.1", show_default=True, help=_("address to listen on"))
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help=_("port to listen on"))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help=_("web processes"))
def command(desk: Desk, host: str, port: int, workers: int) -> int:
    return serve(desk, host=host, port=port, workers=workers)


def serve(desk: Desk, *, host: str, port: int, workers: int) -> int:
    """Run until a signal comes; the exit code."""
    check_port(host, port)
    collect_static()
    tree = Tree(
        {
            "web": [
                *(sys.executable, "-m", "gunicorn", "shuke.wsgi:application"),
                *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
                *("--worker-class", "gthread", "--workers", str(workers), "--threads", "4"),
                *("--graceful-timeout", str(int(GRACE)), "--timeout", "120", "--log-level", "warning"),
                *("--no-control-socket",),
            ],
            "worker": [sys.executable, "-m", "shuke", "worker"],
        }
    )
    shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host
    address = f"http://{shown}:{port}/"

    def ready() -> None:
        if desk.as_json:
            desk.json({"address": address, "processes": tree.pids()})
            sys.stdout.flush()
            return
        desk.say(_("Shuke is open at {address}  (Ctrl-C stops it)").format(address=address))
        if host not in ("127.0.0.1", "::1", "localhost") and os.environ.get("SHUKE_HTTPS") != "1":
            desk.say(
                _(
                    "Others can reach this address without encryption. Put a proxy with TLS in front; see docs/settings.md."
                )
            )
        sys.stdout.flush()

    return tree.run(lambda: _answers(host, port), ready)


def check_port(host: str, port: int) -> None:
    """Refuse early and clearly when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise NotReady(
                _("Port {port} is reserved for the system. Choose one above 1023: shuke serve --port 8080").format(
                    port=port
                )
            ) from error
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == 99:
                raise NotReady(
                    _("This machine has no address {host}. Use 127.0.0.1 or 0.0.0.0.").format(host=host)
                ) from error
            raise NotReady(
                _(
                    "Port {port} is in use by another program. Stop that one, or choose another port: shuke serve --port {other}"
                ).format(port=port, other=port + 1)
            ) from error


def collect_static() -> None:
    """Bring styles and scripts to where the web server reads them, if any is newer than what is there."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    sources = [Path(store.path(name)) for finder in get_finders() for name, store in finder.list([])]
    if manifest.exists() and all(path.stat().st_mtime <= manifest.stat().st_mtime for path in sources):
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)


def _answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((target, port), timeout=1):
            return True
    except OSError:
        return False


def _die_with_parent() -> None:
    """Linux only: should the supervisor be killed, its children end as if asked to."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Tree:
    """Children that live and die together; one that falls over is started again."""

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._commands = commands
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._failed_starts = dict.fromkeys(commands, 0)
        self._stop = threading.Event()

    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self._children.items()}

    def run(self, answers, ready) -> int:  # type: ignore[no-untyped-def] # two callables
        """Start all, call `ready` once `answers()` is true, and watch until a signal or until a child will not start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_told: self._stop.set())
        for name in self._commands:
            self._start(name)
        said = False
        try:
            while not self._stop.wait(0.1 if not said else 0.5):
                if not said and answers():
                    said = True
                    ready()
                for name, child in list(self._children.items()):
                    if child.poll() is not None and not self._again(name, child.returncode):
                        return 3
            return 0
        finally:
            self._end()

    def _start(self, name: str) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then asks each child once.
        self._children[name] = subprocess.Popen(
            self._commands[name], start_new_session=True, preexec_fn=_die_with_parent, stdin=subprocess.DEVNULL
        )
        self._started[name] = time.monotonic()

    def _again(self, name: str, code: int) -> bool:
        if time.monotonic() - self._started[name] < QUICK:
            self._failed_starts[name] += 1
        else:
            self._failed_starts[name] = 1
        if self._failed_starts[name] >= TRIES:
            click.echo(
                _("The {name} process ended {count} times in a row; giving up. What it said stands above.").format(
                    name=name, count=TRIES
                ),
                err=True,
            )
            return False
        click.echo(_("The {name} process ended ({code}); starting it again.").format(name=name, code=code), err=True)
        self._stop.wait(min(2 ** (self._failed_starts[name] - 1), 10) * 0.5)
        self._start(name)
        return True

    def _end(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE
        for child in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()  # its lease gives the job in hand to the next worker
                child.wait()
