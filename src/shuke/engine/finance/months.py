"""Calendar months as integers, so that an age is a difference: 2018-03 is 2018 × 12 + 2."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar

from shuke.kit.refusal import Refusal, Sentences

_TEXT = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


class NotAMonth(Refusal):
    """A month is written 2018-03."""

    sentences: ClassVar[Sentences] = {
        "bad_month": ("{told!r} is no month; write it like 2018-03.", "{told!r} 不是月份，请写成 2018-03 这样。")
    }


def of(day: date) -> int:
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def label(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def read(text: str) -> int:
    """'2018-03' → the month. Raises NotAMonth."""
    found = _TEXT.fullmatch(text.strip())
    if found is None or not 1 <= int(found[2]) <= 12 or not 1970 <= int(found[1]) <= 9998:
        raise NotAMonth("bad_month", told=text.strip()[:20])
    return int(found[1]) * 12 + int(found[2]) - 1
