"""docs/algorithms/clv.md: each published value is reproduced within its tolerance, and what is printed there is what is computed."""

import pytest

from tests.engine.insight.clv.published import FACTS
from tests.engine.insight.worked import table

LINES = {line["fact"]: line for line in table("clv", "fact")}


@pytest.mark.parametrize("fact", list(LINES))
def test_a_published_value_is_reproduced(fact):
    line = LINES[fact]
    published = [float(text) for text in line["published"].split()]
    computed = FACTS[fact]()
    assert len(computed) == len(published)
    rooms = line["tolerance"].split()
    for value, wanted, told in zip(computed, published, rooms * (len(published) // len(rooms)), strict=True):
        room = abs(wanted) * float(told[:-1]) / 100 if told.endswith("%") else float(told)
        assert abs(value - wanted) <= room, f"{fact}: {value:.6g}, published {wanted:g} ± {room:g}"


@pytest.mark.parametrize("fact", list(LINES))
def test_what_the_page_says_is_what_is_computed(fact):
    printed = LINES[fact]["here"].split()
    for text, value in zip(printed, FACTS[fact](), strict=True):
        mantissa, _e, power = text.partition("e")
        step = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
        assert abs(value - float(text)) <= 0.51 * step, f"{fact}: {value:.8g}, the page says {text}"


def test_every_fact_has_its_line():
    assert set(FACTS) == set(LINES)
