"""A day as an option of the command line: one that a shop can have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shuke.doors.cli.words import _

FIRST, LAST = datetime(1990, 1, 1), datetime(2999, 1, 1)


class Day(click.DateTime):
    """Farther away nothing can be computed: the day after the last of the calendar is none, nor is it one in every zone."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            day = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(_("{day} is no day; write it like 2026-03-31.").format(day=value), param, ctx)
        if not FIRST <= day.replace(tzinfo=None) <= LAST:
            self.fail(_("{day} is no day of a shop; write one from 1990 on.").format(day=value), param, ctx)
        return day


DAY = Day(["%Y-%m-%d"])
