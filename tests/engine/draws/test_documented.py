"""docs/algorithms/draws.md: its table, its codes, and the program at its end, which shares no line with ours."""

import re
from pathlib import Path

import pytest

from shuke.engine import draws
from shuke.engine.draws.verify import SENTENCES
from tests.engine.draws.making import TERMS, run

PAGE = (Path(__file__).parents[3] / "docs" / "algorithms" / "draws.md").read_text(encoding="utf-8")


def outcomes(file: dict) -> list[tuple[int, str, str]]:
    space: dict = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.S).group(1), space)
    return list(space["outcomes"](file))


def test_the_worked_places(monkeypatch):
    terms = draws.read_terms(TERMS)
    for r, prize in re.findall(r"^\| (\d+) \| (\S) \|$", PAGE, re.M):
        monkeypatch.setattr("hmac.digest", lambda *_, r=r: (100 * 7 + int(r)).to_bytes(32, "big"))
        assert draws.drawn(terms, "", b"", "1:") == prize.replace("–", "")


def test_the_published_program_and_ours_say_the_same():
    for words in ("", "幸运"):
        file = run(200, words=words)
        assert outcomes(file) == [(t["number"], t["drew"], t["won"]) for t in file["tickets"]]
        assert draws.verify(file).findings == []


def test_the_published_program_catches_a_changed_outcome():
    file = run(50)
    loser = next(t for t in file["tickets"] if not t["drew"])
    loser["drew"] = loser["won"] = "a"
    with pytest.raises(AssertionError, match=f"ticket {loser['number']}"):
        outcomes(file)


def test_every_code_is_documented():
    table = PAGE[PAGE.index("| code |") :].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == set(SENTENCES)
