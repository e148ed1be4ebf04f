"""Progress in the terminal: a bar with rate and time left; without a terminal a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from shuke.doors.cli.words import _

# What flows count, in the language of the terminal (flows know none).
COUNTED = {
    "rows": _("rows"),
    "members": _("members"),
    "months": _("months"),
    "snapshots": _("snapshots"),
    "codes": _("codes"),
    "history": _("reading the history"),
}
_EVERY = 5.0  # seconds between lines where no terminal can redraw one


class Bars:
    """A Progress (kit/progress.py) to be used as `with Bars() as progress:`. Writes to stderr: stdout is for answers."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._rich: Any = None
        self._task: Any = None
        self._what, self._total, self._done = "", 0, 0
        self._start = self._said = 0.0

    def __enter__(self) -> Bars:
        if self._live:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._rich = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn(_("left")),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                refresh_per_second=4,
            )
            self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_stage(finished=kind is None)
        if self._rich is not None:
            self._rich.stop()

    def total(self, count: int | None, what: str = "") -> None:
        self._end_stage(finished=True)
        what = COUNTED.get(what, what)
        self._what, self._total, self._done = what, count or 0, 0
        self._start = self._said = time.monotonic()
        if self._rich is not None:
            self._task = self._rich.add_task(what, total=count, rate="")

    def advance(self, count: int = 1) -> None:
        self._done += count
        if self._rich is not None and self._task is not None:
            self._rich.update(self._task, advance=count, rate=self._rate())
        elif not self._quiet and time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            self._line()

    def note(self, text: str) -> None:
        if self._rich is not None:
            self._rich.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            print(text, file=sys.stderr, flush=True)

    def _end_stage(self, *, finished: bool) -> None:
        if not self._start:
            return
        if self._rich is not None and self._task is not None:
            if finished:
                self._rich.update(
                    self._task, total=self._done or self._total or 1, completed=self._done or self._total or 1
                )
            self._rich.stop_task(self._task)
            self._task = None
        elif not self._quiet and (self._done or not finished):
            self._line(end=finished)
        self._start = 0.0

    def _rate(self) -> str:
        seconds = time.monotonic() - self._start
        return f"{self._done / seconds:,.0f}/s" if seconds > 0.5 else ""

    def _line(self, end: bool = False) -> None:
        seconds = time.monotonic() - self._start
        of = f" / {self._total:,}" if self._total and not end else ""
        text = f"{self._what}: {self._done:,}{of} · {self._rate()} · {seconds:.0f} s"
        if self._total and self._done and not end:
            text += f" · {_('left')} {seconds / self._done * max(self._total - self._done, 0):.0f} s"
        print(text.replace(" ·  · ", " · "), file=sys.stderr, flush=True)
