"""Lists that nobody means: whatever stands in whichever field, all that is wrong is told, in both languages, and nothing is
replayed; what is told of it can be written down."""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.replay import lines as reading
from shuke.engine.replay.report import report
from shuke.engine.replay.run import Replay

ZONE = ZoneInfo("Asia/Shanghai")
PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "replay.md").read_text(encoding="utf-8")
ODD = [
    "null", "true", "-1", "1.5", "1e400", "1e999999999", "9" * 30, "9" * 5000, "NaN", "[]", "{}", "[[null]]", '""',
    '"x\\u0000"', '"\\ud800"', json.dumps("长" * 300), '"٣²"', '"{0}%s"', '"0001-01-01"', '"9999-12-31"',
    '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-12:00"', '"' + "9" * 5000 + '-01"', '"02-30"', '"nobody"',
]  # fmt: skip


def worked(name: str) -> tuple[document.Charter, list[str]]:
    charter, events = (
        re.search(rf"```{kind} {name}\n(.*?)```", PAGE, re.S).group(1)  # type: ignore[union-attr]
        for kind in ("yaml", "jsonl")
    )
    return document.read(charter), events.strip().splitlines()


def places(told, path=()):
    for name, value in told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ():
        yield (*path, name)
        yield from places(value, (*path, name))


def with_odd(raw: str, place: tuple, odd: str) -> str:
    told = copy.deepcopy(json.loads(raw))
    within = told
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = "@"
    return json.dumps(told).replace('"@"', odd, 1)


def faults(charter: document.Charter, events: list[str]) -> list[reading.LineFault]:
    """What is wrong with a list; one with nothing wrong is replayed, and its report written down."""
    try:
        found = reading.read(events, ZONE, charter.currency)
    except reading.LinesInvalid as wrong:
        for fault in wrong.faults:
            for language in ("en", "zh"):
                assert 0 < len(fault.say(language).encode()) < 2000
            assert fault.say("en") != fault.say("zh")
        return wrong.faults
    engine = Replay(Versions([(found[0].at - timedelta(days=1), Terms(charter, ZONE, 1))]))
    json.dumps(report(found, engine.run(found, None), engine), ensure_ascii=False).encode()
    return []


def test_every_field_of_every_event_takes_every_oddity():
    charter, events = worked("counter")
    assert faults(charter, events) == []
    known: set[tuple] = set()
    codes: set[str] = set()
    for at, raw in enumerate(events):
        told = json.loads(raw)
        for place in places(told):
            shape = told["event"], *(part if isinstance(part, str) else 0 for part in place)
            if shape in known or len(place) > 2:  # baskets and terms have readers of their own
                continue
            known.add(shape)
            # Before it only what brought the shop and its people: the list is short, and the line stands in its context.
            before = [one for one in events[:at] if json.loads(one)["event"] in ("join", "card_make", "gift_offer")]
            for odd in ODD:
                codes |= {fault.code for fault in faults(charter, [*before, with_odd(raw, place, odd)])}
    assert {"not_json", "bad_text", "bad_field"} <= codes


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ('[{"at": "2026-03-01", "event": "clock"}]', "not_json", ""),
        ('{"at": "2026-03-01", "event": "clock"', "not_json", ""),
        ('{"at": "2026-03-01", "event": "join", "member": "x", "member": "y"}', "field_twice", "member"),
        ('{"at": "2026-03-01", "event": "join", "member": "\\ud800"}', "bad_text", ""),
        ('{"at": "2026-03-01", "event": "join", "member": "x", "birthday": "02-30"}', "bad_field", "birthday"),
        ('{"at": "2026-03-01", "event": "join", "member": "x", "birthday": "LL01-01"}', "bad_field", "birthday"),
        ('{"at": "9999-12-31", "event": "clock"}', "bad_field", "at"),
        ('{"at": "2026-03-01", "event": "order", "member": "ann", "order": "1", "paid": 1e999999999}', "bad_field", "paid"),
        ('{"at": "2026-03-01", "event": "order", "member": "ann", "order": "1", "piad": 5}', "unknown_field", "piad"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_code_and_its_field(line, code, field):
    charter, events = worked("counter")
    told = faults(charter, [*events[:2], line])
    assert [(one.line, one.code, one.field) for one in told] == [(3, code, field)]
