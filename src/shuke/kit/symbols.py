"""A number as something a scanner reads: QR code and Code 128, as SVG made here, with nothing fetched from elsewhere."""

from __future__ import annotations

import io

import segno

# Widths of bars and gaps of Code 128, by value; 105 starts set C (two digits a symbol), 106 stops.
_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
_CODE_B, _START_B, _START_C, _STOP = 100, 104, 105, 106
QUIET = 10  # modules of white that a scanner needs on either side


def qr_svg(text: str) -> str:
    """A QR code with 15 % redundancy and its quiet zone, in units of one module; the page says how large it is."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, nl=False, unit=None, omitsize=True, border=4
    )
    return out.getvalue().decode()


def code128_values(digits: str) -> list[int]:
    """Symbol values with start, check and stop. Pairs of digits; an odd last one in set B."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("A card's barcode holds digits only.")
    if len(digits) == 1:
        values = [_START_B, int(digits) + 16]
    else:
        even = len(digits) // 2 * 2
        values = [_START_C, *(int(digits[i : i + 2]) for i in range(0, even, 2))]
        if even < len(digits):
            values += [_CODE_B, int(digits[-1]) + 16]
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], 1))) % 103
    return [*values, check, _STOP]


def code128_svg(digits: str, height: int = 30) -> str:
    """The bars alone; the number in plain figures belongs beneath."""
    path, at = [], QUIET
    for value in code128_values(digits):
        for place, width in enumerate(map(int, _WIDTHS[value])):
            if place % 2 == 0:
                path.append(f"M{at} 0h{width}v{height}h-{width}z")
            at += width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at + QUIET} {height}" preserveAspectRatio="none" '
        f'class="code128"><path fill="#fff" d="M0 0h{at + QUIET}v{height}h-{at + QUIET}z"/><path d="{"".join(path)}"/></svg>'
    )
