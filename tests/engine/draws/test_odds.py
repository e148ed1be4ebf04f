"""That the odds hold: exactly by counting every place, and over many tickets by chi-square, which first catches a biased draw."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import draws
from shuke.engine.draws.drawing import RANGE
from shuke.engine.draws.odds import upper_tail
from tests.engine.draws.making import SEED, TERMS

TOLD = draws.read_terms(TERMS)


def drew(count: int, seed: bytes, bias: int = 0) -> dict[str, int]:
    found: dict[str, int] = {}
    for n in range(count):
        key = draws.drawn(TOLD, "c", seed, f"{n}:")
        if bias and key == "" and n % bias == 0:  # now and then a loser is made a winner
            key = "b"
        found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("seed", [SEED, b"\xff" * 32, b"luck" * 8])
def test_twenty_thousand_tickets_fit_the_odds(seed):
    told = draws.fit(TOLD, drew(20_000, seed), 20_000)
    assert told.freedom == 3
    assert told.p > 0.001


def test_a_bias_of_two_in_a_hundred_is_seen():
    assert draws.fit(TOLD, drew(20_000, SEED, bias=33), 20_000).p < 1e-6


def test_seeds_give_different_draws():
    one, other = (["".join(draws.drawn(TOLD, "c", s, f"{n}:") or "-") for n in range(200)] for s in (SEED, b"x" * 32))
    assert one != other


def test_the_word_the_commitment_and_the_number_all_count():
    base = [draws.drawn(TOLD, "c", SEED, f"{n}:") for n in range(300)]
    assert [draws.drawn(TOLD, "d", SEED, f"{n}:") for n in range(300)] != base
    assert [draws.drawn(TOLD, "c", SEED, f"{n}:w") for n in range(300)] != base


@given(st.lists(st.fractions(Fraction(1, 60), Fraction(1, 6), max_denominator=60), min_size=1, max_size=5))
def test_every_place_counts_once(shares):
    """Walking all places of the common denominator gives each prize exactly its share."""
    prizes = [{"key": f"p{i}", "odds": str(s)} for i, s in enumerate(shares)]
    terms = draws.read_terms({**TERMS, "prizes": prizes})
    if terms.width > 5000:
        return
    counted: dict[str, int] = {}
    import hmac

    real = hmac.digest
    try:
        for place in range(terms.width):
            hmac.digest = lambda *_, place=place: place.to_bytes(32, "big")
            key = draws.drawn(terms, "c", SEED, "1:")
            counted[key] = counted.get(key, 0) + 1
    finally:
        hmac.digest = real
    assert all(Fraction(counted.get(f"p{i}", 0), terms.width) == share for i, share in enumerate(shares))


def test_numbers_beyond_the_last_whole_round_are_drawn_again(monkeypatch):
    told = draws.read_terms({**TERMS, "prizes": [{"key": "a", "odds": "1/3"}]})
    usable = RANGE - RANGE % 3
    answers = [usable, usable + 0, 0]
    monkeypatch.setattr("hmac.digest", lambda *_: answers.pop(0).to_bytes(32, "big"))
    assert draws.drawn(told, "c", SEED, "1:") == "a"
    assert answers == []


def test_the_stock_rule_walks_down_the_list():
    assert draws.settle(TOLD, "a", {}) == "a"
    assert draws.settle(TOLD, "a", {"a": 2}) == "c"
    assert draws.settle(TOLD, "b", {"b": 20}) == ""
    assert draws.settle(TOLD, "", {}) == ""


def test_too_few_tickets_say_nothing():
    assert draws.fit(TOLD, {"": 3}, 3) is None


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),
    [(3.841, 1, 0.05), (6.635, 1, 0.01), (9.488, 4, 0.05), (18.307, 10, 0.05), (29.588, 10, 0.001), (0.5, 3, 0.9189)],
)
def test_the_tail_of_chi_square_is_that_of_the_tables(statistic, freedom, p):
    assert upper_tail(statistic, freedom) == pytest.approx(p, rel=2e-3)
