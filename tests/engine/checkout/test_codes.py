"""Codes: 60 bits, a check sign that sees every slip, no letters that look like others."""

from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.checkout import codes

NUMBER = st.integers(0, 2**60 - 1)


@given(NUMBER)
def test_a_code_is_read_as_it_was_written(number):
    code = codes.code_of(number)
    assert len(code) == codes.LENGTH
    assert not set(code) & set("ILOU")
    assert codes.unique_code(codes.shown(code)) == code
    assert codes.unique_code(f" {codes.shown(code).lower().replace('0', 'o').replace('1', 'l')} ") == code
    assert codes.unique_code(codes.shown(code).translate({i: i + 0xFEE0 for i in range(0x21, 0x7F)})) == code


@given(NUMBER, st.integers(0, 12), st.sampled_from(codes.ALPHABET))
def test_every_single_slip_is_seen(number, place, sign):
    code = codes.code_of(number)
    changed = code[:place] + sign + code[place + 1 :]
    assert (codes.unique_code(changed) is None) == (changed != code)


@given(NUMBER, st.integers(0, 11))
def test_every_swap_of_neighbours_is_seen(number, place):
    code = codes.code_of(number)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (codes.unique_code(swapped) is None) == (swapped != code)


def test_what_cannot_be_a_code():
    assert codes.unique_code("SPRING20") is None
    assert codes.unique_code("") is None
    assert codes.plain("spring 20 – ｓ") == "SPRING20S"


def test_different_numbers_have_different_codes():
    assert len({codes.code_of(n) for n in range(5000)}) == 5000
