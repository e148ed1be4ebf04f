"""Card numbers as scanners read them."""

from __future__ import annotations

import re

import pytest

from shuke.kit.symbols import _WIDTHS, code128_svg, code128_values, qr_svg


def test_every_symbol_of_code_128_is_eleven_modules_wide_and_the_stop_thirteen():
    assert len(_WIDTHS) == 107
    assert len(set(_WIDTHS)) == 107
    assert {sum(map(int, w)) for w in _WIDTHS[:-1]} == {11}
    assert sum(map(int, _WIDTHS[-1])) == 13
    assert all(sum(map(int, w[::2])) % 2 == 0 for w in _WIDTHS[:-1])  # bars are even in sum: how scanners check


def read(svg: str) -> str:
    """What a scanner would read: bars back to widths, widths to values, checked."""
    bars = [(int(x), int(w)) for x, w in re.findall(r"M(\d+) 0h(\d+)v\d+h-\d+z", svg)][1:]
    widths = []
    for (x, w), following in zip(bars, [*bars[1:], None], strict=True):
        widths.append(str(w))
        if following:
            widths.append(str(following[0] - x - w))
    text = "".join(widths)
    values = [_WIDTHS.index(text[i : i + 6]) for i in range(0, len(text) - 7, 6)]
    assert text.endswith(_WIDTHS[106])
    *values, check = values
    assert check == (values[0] + sum(i * v for i, v in enumerate(values[1:], 1))) % 103
    read, pairs = "", values[0] == 105
    for value in values[1:]:
        if value == 100:
            pairs = False
        else:
            read += f"{value:02d}" if pairs else chr(value + 32)
    return read


@pytest.mark.parametrize("digits", ["660000000018", "7", "12345", "000000", "66000000001"])
def test_a_scanner_reads_the_number_that_was_drawn(digits):
    assert read(code128_svg(digits)) == digits


def test_the_example_of_the_standard():
    assert code128_values("1234") == [105, 12, 34, (105 + 12 + 2 * 34) % 103, 106]


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="digits only"):
        code128_svg("AB")


def test_a_qr_code_is_drawn_here_with_its_quiet_zone():
    svg = qr_svg("660000000018")
    assert svg.startswith("<svg")
    assert 'viewBox="0 0 29 29"' in svg  # 21 modules and 4 of white on each side
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
