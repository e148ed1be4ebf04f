"""What a command gets to work with: the merchant and its time, and a way to answer as a table or as JSON."""

from __future__ import annotations

import dataclasses
import functools
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli import errors
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.shops.models import Merchant


class Desk:
    """One call of one command."""

    def __init__(self, *, as_json: bool, merchant_name: str | None) -> None:
        self.as_json, self._merchant_name = as_json, merchant_name

    @functools.cached_property
    def merchant(self) -> Merchant:
        """The merchant named by --merchant, else the only one."""
        from shuke.shops import queries

        return queries.merchant_by_name(self._merchant_name) if self._merchant_name else queries.sole_merchant()

    def merchant_named(self, name: str) -> None:
        """From now on this merchant is meant (the one a command has just made)."""
        self._merchant_name = name

    @property
    def now(self) -> datetime:
        from shuke.shops import queries

        return queries.now(self.merchant)

    @property
    def actor(self) -> str:
        """For the audit log: who sits at this terminal."""
        try:
            return f"cli:{getpass.getuser()}"[:60]
        except (KeyError, OSError):
            return f"cli:{os.getuid()}"

    # ---- answers --------------------------------------------------------------------------------------------------
    def json(self, value: Any) -> None:
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))

    def say(self, text: str = "") -> None:
        """A line for a person; nothing when a program asked."""
        if not self.as_json:
            click.echo(text)

    def money(self, minor: int | None) -> str:
        from shuke.kit import money

        return "" if minor is None else money.show(minor, self.merchant.currency)

    def day(self, moment: datetime | None) -> str:
        return "" if moment is None else moment.astimezone(self.merchant.tz).strftime("%Y-%m-%d")

    def minute(self, moment: datetime | None) -> str:
        return "" if moment is None else moment.astimezone(self.merchant.tz).strftime("%Y-%m-%d %H:%M")

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "", right: Sequence[int] = ()
    ) -> None:
        """Columns named in `right` by position hold figures. What a terminal is too narrow for stands in several tables under
        one another, each with the first column: a figure is never broken over lines."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        cells = [[_cell(cell) for cell in row] for row in rows]
        for chosen in _side_by_side(columns, cells, right, _width()):
            table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
            for position in chosen:
                figures = position in right
                least = _longest(cells, position) if figures or position == 0 else None
                table.add_column(
                    columns[position], justify="right" if figures else "left", overflow="fold",
                    min_width=min(least, LONGEST_KEPT_WHOLE) if least else None,
                )  # fmt: skip
            for row in cells:
                table.add_row(*(row[position] for position in chosen))
            self._print(table)
            title = ""

    def facts(self, pairs: Iterable[tuple[str, Any]], *, title: str = "") -> None:
        """Name and value, one a line; without those that have no value."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in pairs:
            if value not in (None, "", []):
                table.add_row(name, _cell(value))
        if title:
            click.echo(click.style(title, bold=True))
        self._print(table)

    def _print(self, thing: Any) -> None:
        from rich.console import Console

        Console(file=sys.stdout, width=_width(), highlight=False).print(thing)


LONGEST_KEPT_WHOLE = 24  # of a text in the first column; figures are never longer
BETWEEN = 3  # blanks between two columns


def _width() -> int:
    """A pipe gets lines as long as they are; only a terminal has an edge to wrap at."""
    from rich.console import Console

    return Console(file=sys.stdout).width if sys.stdout.isatty() else 160


def _longest(cells: Sequence[Sequence[str]], position: int) -> int:
    from rich.cells import cell_len

    return max((cell_len(row[position]) for row in cells), default=0)


def _side_by_side(
    columns: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[int], width: int
) -> list[list[int]]:
    """Which columns stand in one table: all, if their figures fit beside one another."""
    from rich.cells import cell_len

    def least(position: int) -> int:
        found = _longest(cells, position)
        kept = found if position in right else min(found, LONGEST_KEPT_WHOLE if position == 0 else 12)
        return max(kept, min(cell_len(columns[position]), 6)) + BETWEEN

    groups, used = [[0]], least(0) if columns else 0
    for position in range(1, len(columns)):
        if used + least(position) > width and len(groups[-1]) > 1:
            groups.append([0])
            used = least(0)
        groups[-1].append(position)
        used += least(position)
    return groups


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return f"{value:,}"
    return escape(str(value))


def plain(value: Any) -> Any:
    """Any value of ours as JSON knows it: instants and days in ISO form, bytes in hex, tuples with names as objects."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(plain(key)): plain(inner) for key, inner in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if isinstance(value, Iterable):
        return [plain(inner) for inner in value]
    return str(value)


def start_django() -> None:
    """Load settings and rooms, in the language of the terminal."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuke.settings")
    import django

    django.setup()
    from django.utils import translation

    translation.activate(language())


def check_database() -> None:
    """Refuse to work on a database of another version: half-understood tables are how data gets lost."""
    from django.conf import settings

    from shuke.kit import schema

    match schema.state():
        case schema.State.EMPTY:
            raise errors.NotReady(
                _(
                    "Nothing is set up in {where} yet. Run `shuke init` for your own shop, or `shuke demo` to look around."
                ).format(where=settings.SHUKE_HOME)
            )
        case schema.State.OLDER:
            raise errors.NotReady(
                _(
                    "The database was made by an older Shuke. Run `shuke init`: it brings it up to date and keeps all data. Back it up first."
                )
            )
        case schema.State.NEWER:
            raise errors.NotReady(
                _(
                    "The database was written by a newer Shuke than this one ({version}). Install the newer version; nothing was changed."
                ).format(version=_version())
            )


def _version() -> str:
    from shuke import __version__

    return __version__


def declared(
    name: str,
    about: str,
    example: str,
    *,
    group: click.Group | None = None,
    database: bool = True,
    django: bool = True,
) -> Callable:
    """Declare a command: adds --json and --merchant, starts Django, checks the database, hands over a Desk.

    `about` is the help; `example` is shown under it, one call a line. With `django` False the command works on files alone: it
    starts at once, and there is no merchant to name.
    """

    def declare(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def call(as_json: bool, merchant_name: str | None = None, **arguments: Any) -> Any:
            if django:
                start_django()
            if database and django:
                check_database()
            return function(Desk(as_json=as_json, merchant_name=merchant_name), **arguments)

        examples = "\n".join(f"  {line}" for line in example.strip().splitlines())
        made = click.command(name, help=about, epilog=None)(call)
        made.help = f"{about}\n\n\b\n{_('Example')}:\n{examples}"
        made.params.append(click.Option(["--json", "as_json"], is_flag=True, help=_("answer as JSON, for programs")))
        if django:
            made.params.append(
                click.Option(
                    ["--merchant", "merchant_name"],
                    metavar=_("NAME"),
                    help=_("which merchant, where several live here"),
                )
            )
        if group is not None:
            group.add_command(made)
        return made

    return declare
