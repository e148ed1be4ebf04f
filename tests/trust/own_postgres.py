"""A PostgreSQL server of one test's own, which that test may kill. The server the suite runs on is nobody's to kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60.0  # seconds until a server that does not start is given up


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, if this machine has them."""
    folders = [Path(told).resolve().parent] if (told := shutil.which("initdb")) else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_dump").exists()), None)


class Server:
    """Listens on a socket in its own folder. Commits wait for the disk as in a shop; nothing here turns that off."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        found = programs()
        assert found is not None
        self._programs = found
        self._as: list[str] = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = next(u for u in ("postgres", "nobody") if _exists(u))
            who = pwd.getpwnam(user)
            os.chown(folder, who.pw_uid, who.pw_gid)
            self._as = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]

    def run(self, program: str, *told: str, text: str | None = None) -> str:
        command = [*self._as, str(self._programs / program), *told]
        done = subprocess.run(command, cwd=self.folder, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout

    def create(self) -> None:
        self.run("initdb", "-D", str(self.data), "-U", "shuke", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                 "--no-sync")  # fmt: skip
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\ntimezone = 'UTC'\n")
            # What a commit without waiting would lose is then lost for certain: see the control of test_bank.py.
            conf.write("wal_writer_delay = 10s\nwal_writer_flush_after = 100MB\n")
        self.start()
        self.run("createdb", "-h", str(self.folder), "-U", "shuke", "shuke")

    def start(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._control("start")
                return
            except RuntimeError:  # the last of the killed processes still holds the shared memory
                if time.monotonic() > end:
                    raise
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                time.sleep(0.1)

    def restart_at_once(self) -> None:
        self._control("restart", "-m", "immediate")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def kill_all(self) -> None:
        """The whole server at one blow, as when the machine dies; only processes that this server started."""
        main = self._main()
        for pid in (main, *_children(main)):
            _kill(pid)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def kill_backend(self) -> None:
        """One connection's process. The server then restarts all of them, for it cannot trust its shared memory."""
        told = self.run("psql", "-h", str(self.folder), "-U", "shuke", "-Atc",
                        "SELECT pid FROM pg_stat_activity WHERE state IS NOT NULL AND pid <> pg_backend_pid()")  # fmt: skip
        mine = set(_children(self._main()))
        for pid in [int(p) for p in told.split() if int(p) in mine][:1]:
            _kill(pid)

    def _control(self, *told: str) -> None:
        # Into a file: a server that inherits the pipe keeps it open for as long as it lives.
        with open(self.folder / "control.log", "ab") as log:
            command = [*self._as, str(self._programs / "pg_ctl"), "-D", str(self.data), "-w", *told]
            command += ["-l", str(self.folder / "log")] if told[0] != "stop" else []
            if subprocess.run(command, cwd=self.folder, stdout=log, stderr=log, check=False).returncode:
                raise RuntimeError(f"pg_ctl {told[0]}: {(self.folder / 'control.log').read_text()[-1000:]}")

    def _main(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def own_server() -> Iterator[Server]:
    """A running server with the tables of this run's database in it, and Django's connection on it."""
    from django.db import connection

    told = connection.settings_dict
    before = {key: told[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    folder = Path(tempfile.mkdtemp(prefix="shuke-own-pg-"))
    server = Server(folder)
    try:
        server.create()
        tables = server.run("pg_dump", "--no-owner", "-d", address(connection.get_connection_params()))
        server.run("psql", "-h", str(folder), "-U", "shuke", "-qX", "-v", "ON_ERROR_STOP=1", text=tables)
        connection.close()
        rest = {key: value for key, value in told["OPTIONS"].items() if key not in ("host", "port", "user", "password")}
        told.update(NAME="shuke", USER="shuke", PASSWORD="", HOST=str(folder), PORT="", OPTIONS=rest)
        yield server
    finally:
        connection.close()
        told.update(before)
        with suppress(RuntimeError):  # it did not run
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def address(told: dict) -> str:
    parts = {key: told.get(key) for key in ("host", "port", "user", "password", "dbname")}
    return " ".join(f"{key}='{value}'" for key, value in parts.items() if value)
