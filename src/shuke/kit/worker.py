"""The worker loop: ask the timetable, claim a job, do it, again; until told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from shuke.kit import clock, jobs

HEARTBEAT = "worker.heartbeat"


def _heartbeat_file() -> Path:
    return Path(settings.SHUKE_HOME) / "run" / HEARTBEAT


def last_heartbeat() -> dict[str, str] | None:
    """{"worker", "at"} of the worker that last showed itself in this home, or None."""
    try:
        return json.loads(_heartbeat_file().read_text())
    except (OSError, ValueError):
        return None


class Worker:
    """One worker process. `tick(now)` turns schedules into jobs; `tell` says what happens, a line each."""

    def __init__(
        self,
        *,
        tick: Callable[[datetime], object],
        tell: Callable[[str], object] = lambda line: None,
        idle: float = 1.0,
        tick_every: timedelta = timedelta(seconds=20),
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}"[:80]
        self._tick, self._tell, self._idle, self._tick_every = tick, tell, idle, tick_every
        self._stop = threading.Event()
        self._ticked_at: datetime | None = None

    def stop(self, *_signal: object) -> None:
        """Finish the job in hand, then end. A second request ends at once: the lease gives the job to another."""
        if self._stop.is_set():
            os._exit(130)
        self._stop.set()

    def listen_to_signals(self) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def run(self, *, once: bool = False) -> dict[str, int]:
        """Work until stopped; with `once` until nothing is due. Answers how many jobs ended how."""
        over = threading.Event()
        threading.Thread(target=self._show_life, args=(over,), daemon=True).start()
        try:
            return self._loop(once)
        finally:
            over.set()

    def _loop(self, once: bool) -> dict[str, int]:
        ended: dict[str, int] = {}
        while not self._stop.is_set():
            try:
                outcome = self._step()
            except DatabaseError as error:
                if once:
                    raise
                self._tell(f"database not reachable, trying again: {error}".strip())
                connection.close()
                self._stop.wait(5)
                continue
            if outcome:
                ended[outcome] = ended.get(outcome, 0) + 1
            elif once:
                break
            else:
                close_old_connections()
                self._stop.wait(self._idle)
        return ended

    def _step(self) -> str:
        now = clock.utc_now()
        if self._ticked_at is None or now - self._ticked_at >= self._tick_every:
            self._ticked_at = now
            self._tick(now)
        running = jobs.claim(worker=self.name, now=now)
        if running is None:
            return ""
        start = time.monotonic()
        outcome = jobs.run(running)
        self._tell(f"{running.name} {running.id}: {outcome} in {time.monotonic() - start:.1f} s")
        return outcome

    def _show_life(self, over: threading.Event) -> None:
        """Every few seconds, also during a long job, for `shuke doctor`."""
        path = _heartbeat_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{HEARTBEAT}.{os.getpid()}")
        while True:
            fresh.write_text(json.dumps({"worker": self.name, "at": clock.utc_now().isoformat()}))
            fresh.replace(path)
            if over.wait(5):
                return
