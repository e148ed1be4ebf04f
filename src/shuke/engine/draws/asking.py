"""Whether a ticket can be had, and what for. Books and replay ask the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shuke.engine.draws.terms import DrawTerms

WORD = re.compile(r"\w{0,20}")
PHONE = re.compile(r"\d{7}")  # what is published may be no phone number


class Situation(NamedTuple):
    """What is known when somebody asks for a ticket. `free`: orders or activities that have given none yet, oldest first."""

    running: bool  # committed to, and neither stopped nor revealed
    stopped: bool
    frozen: bool
    left: int | None  # tickets by the limits; None: without limit
    free: Callable[[], Sequence[str]]


def may(terms: DrawTerms, seen: Situation, way: str, word: str, source: str, now: datetime) -> tuple[str, str]:
    """Why no ticket is given ("": it is), and what it is given for. `source` names one order or activity."""
    if seen.stopped:
        return "stopped", ""
    if not seen.running or not terms.opens_at <= now < terms.closes_at:
        return "not_open", ""
    if way not in terms.ways:
        return "no_such_way", ""
    if not WORD.fullmatch(word) or PHONE.search(word):
        return "word", ""
    if seen.frozen:
        return "frozen", ""
    if seen.left == 0:
        return "limit", ""
    if way not in ("order", "activity"):
        return "", ""
    free = seen.free()
    if source and source not in free:
        return "no_source", ""
    return ("", source or free[0]) if free else ("no_source", "")


def left(terms: DrawTerms, had: int, had_today: int) -> int | None:
    """Tickets the limits still allow a member who drew so many, so many of them today; None: without limit."""
    room = []
    if terms.per_member is not None:
        room.append(terms.per_member - had)
    if terms.per_day is not None:
        room.append(terms.per_day - had_today)
    return max(0, min(room)) if room else None


def day_begins(terms: DrawTerms, now: datetime) -> datetime:
    """When today began, where the draw is."""
    return now.astimezone(terms.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def orders_between(terms: DrawTerms, now: datetime) -> tuple[datetime, datetime, int] | None:
    """Paid from when, before when, and at least how much an order must be to give a ticket; None: orders give none."""
    told = terms.ways.get("order")
    if told is None:
        return None
    wait = timedelta(days=int(told.get("after_days", 0)))
    end = min(terms.closes_at, now - wait + timedelta(microseconds=1))
    return terms.opens_at, end, max(1, int(told.get("min_minor", 0)))
