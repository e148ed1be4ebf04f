"""The spend file of a card partner (a bank, a telecom company): card token, amount, day, and what else it has.

Columns are recognised by their headers, or told by a mapping, field → header: {"token": "卡号", "amount": "交易金额", …}. A token
is what both sides know a card by: a hash of its number, or the number masked. A number in clear is never taken, kept or said
again: in the token's column its row is rejected, anywhere else it is replaced before anybody sees the cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shuke.connect.importers.cells import REJECT_NAMES, Amounts, Moments, Notes, RowError, plain
from shuke.kit.tabular import open_table
from shuke.kit.tabular.errors import TabularError
from shuke.kit.tabular.header import SEARCHED_ROWS, guess_row, normal

FIELDS: dict[str, str] = {  # field → headers it is known by
    "token": "卡标识,卡号,掩码卡号,卡号掩码,脱敏卡号,卡片标识,联名卡号,token,card,card token,card no,card number,masked card,masked card number,masked pan,pan,hashed card,card hash",
    "amount": "交易金额,消费金额,金额,入账金额,交易金额(元),amount,transaction amount,spend,spend amount,value",
    "spent_on": "交易日期,消费日期,交易时间,日期,入账日期,记账日期,date,transaction date,posting date,spend date,purchase date,spent on",
    "reference": "流水号,交易流水号,交易流水,参考号,检索参考号,系统参考号,凭证号,reference,reference number,transaction id,transaction reference,rrn,arn",
    "category": "MCC,商户类别,商户类别码,商户类型,行业,类别,mcc code,merchant category,merchant category code,category",
    "kind": "交易类型,交易种类,类型,借贷标志,type,transaction type,kind,debit/credit,dr/cr",
    "original": "原流水号,原交易流水号,原参考号,原交易参考号,original reference,original transaction,original transaction id,reverses",
}
NEEDED = ("token", "amount", "spent_on")
KINDS = ("hash", "masked")
_KNOWN = {field: {normal(name) for name in names.split(",")} for field, names in FIELDS.items()}
_SPENT = {normal(w) for w in ",消费,pos消费,交易,支付,借,借方,purchase,sale,debit,payment,spend,d,dr".split(",")}
_BACK = {
    normal(w)
    for w in "退货,退款,撤销,冲正,消费撤销,退货撤销,贷,贷方,return,refund,reversal,reversed,reverse,credit,chargeback,void,c,cr".split(",")
}  # fmt: skip
_HASH = re.compile(r"[0-9a-z+/=_-]{16,128}", re.I)
_MASKED = re.compile(r"(\d{4,8})[*xX•·]{2,}(\d{4})")
_CLEAR = re.compile(r"\d{12,19}")
_LONG = re.compile(r"(?<![\d#])\d(?:[ -]?\d){12,18}(?!\d)")

Hide = Callable[[str], str]


class Spent(NamedTuple):
    """One row of the file. `gives_back`: money came back to the card; `original` is the reference of what it is about."""

    row: int  # as a spreadsheet shows it
    token: str
    amount_minor: int
    spent_on: date
    reference: str = ""
    category: str = ""
    gives_back: bool = False
    original: str = ""
    raw: tuple[str, ...] = ()


class Odd(NamedTuple):
    """A row that cannot be taken. `code` names a sentence (loyalty.actions.partner_cards)."""

    row: int
    code: str
    value: str
    raw: tuple[str, ...]


class Layout(NamedTuple):
    """Where the header stands, its cells, and which column means what."""

    row: int  # from 0
    header: tuple[str, ...]
    places: dict[str, int]
    missing: tuple[str, ...]  # of NEEDED


# ---- card numbers -------------------------------------------------------------------------------------------------


def is_clear(text: str) -> bool:
    """Whether a token is, or holds, a card number that nobody masked or hashed."""
    return any(_CLEAR.fullmatch(part) for part in re.split(r"[^0-9]+", re.sub(r"(?<=\d)[ -](?=\d)", "", text)))


def refuses(text: str, kind: str) -> bool:
    """Whether a token is a card number in clear (or was, before it was hidden)."""
    only_digits = _CLEAR.fullmatch(re.sub(r"[ -]", "", text)) is not None
    return text.startswith("#") or only_digits or (is_clear(text) and token_of(text, kind) is None)


def token_of(text: str, kind: str) -> str | None:
    """A card's token in its one form; None where it is no token of this kind."""
    bare = plain(text)
    if kind == "masked":
        found = _MASKED.fullmatch(bare.replace(" ", "").replace("-", ""))
        return f"{found[1]}*{found[2]}" if found else None
    if re.fullmatch(r"[0-9a-fA-F]{16,128}", bare):
        return bare.lower()
    return bare if _HASH.fullmatch(bare) else None


def hidden(text: str, hide: Hide) -> str:
    """The text without anything that passes for a card number: such digits give way to what `hide` makes of them."""

    def veil(found: re.Match[str]) -> str:
        digits = re.sub(r"[ -]", "", found[0])
        return f"#{hide(digits)}" if _is_card_number(digits) else found[0]

    return _LONG.sub(veil, text)


def _is_card_number(digits: str) -> bool:
    """The check digit of all card numbers (ISO/IEC 7812)."""
    doubled = [int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


# ---- columns ------------------------------------------------------------------------------------------------------


def layout_of(path: Path, columns: Mapping[str, str]) -> Layout:
    """What the file's columns mean: what is told first, the usual headers for the rest. Raises TabularError."""
    head = open_table(path).head(SEARCHED_ROWS)
    tried = [_layout(n, row, columns) for n, row in enumerate(head) if sum(bool(cell.strip()) for cell in row) > 1]
    if not tried:
        raise TabularError("no_header", file=path.name)
    whole = next((one for one in tried if not one.missing), None)
    guessed = guess_row(head)
    return whole or next((one for one in tried if one.row == guessed), tried[0])


def _layout(number: int, row: Sequence[str], columns: Mapping[str, str]) -> Layout:
    names = [normal(cell) for cell in row]
    places: dict[str, int] = {}
    for field in FIELDS:
        told = normal(columns.get(field, ""))
        wanted = {told} if told else _KNOWN[field]
        found = [n for n, name in enumerate(names) if name and name in wanted and n not in places.values()]
        if found:
            places[field] = found[0]
    missing = tuple(field for field in NEEDED if field not in places)
    return Layout(number, tuple(row), places, missing)


# ---- rows ---------------------------------------------------------------------------------------------------------


def cells_of(path: Path, layout: Layout, hide: Hide) -> Iterator[tuple[int, list[str]]]:
    """Every row after the header with its number, without any card number: fit to be kept. Raises TabularError."""
    token = layout.places["token"]
    for number, row in enumerate(open_table(path).rows(), 1):
        if number <= layout.row + 1 or not any(cell.strip() for cell in row):
            continue
        veiled = [hidden(cell, hide) for cell in row]
        if len(veiled) > token and _CLEAR.fullmatch(re.sub(r"[ -]", "", plain(veiled[token]))):
            veiled[token] = f"#{hide(veiled[token])}"
        yield number, veiled


def read(
    rows: Iterator[tuple[int, list[str]]],
    *,
    layout: Layout,
    kind: str,
    currency: str,
    zone: ZoneInfo,
    minor: bool = False,
) -> Iterator[Spent | Odd]:
    """What each row says. `minor`: the file's amounts are in cents or fen."""
    amounts, moments = Amounts(currency), Moments(zone, Notes())
    kept = kept_columns(layout.header)
    for number, row in rows:
        cells = {field: plain(row[n]) if n < len(row) else "" for field, n in layout.places.items()}
        raw = tuple(row[n] if n < len(row) else "" for n in kept)
        yield _row(number, cells, raw, kind, amounts, moments, zone, minor)


def kept_columns(header: Sequence[str]) -> list[int]:
    """Without those a file of rejected rows has beside the partner's own."""
    return [n for n, cell in enumerate(header) if normal(cell) not in REJECT_NAMES]


def _row(
    number: int,
    cells: Mapping[str, str],
    raw: tuple[str, ...],
    kind: str,
    amounts: Amounts,
    moments: Moments,
    zone: ZoneInfo,
    minor: bool,
) -> Spent | Odd:
    told = cells["token"]
    if refuses(told, kind):
        return Odd(number, "clear_number", "", raw)
    token = token_of(told, kind)
    if token is None:
        return Odd(number, "bad_token", told[:40], raw)
    word = normal(cells.get("kind", ""))
    if word not in _SPENT | _BACK:
        return Odd(number, "bad_kind", cells["kind"][:40], raw)
    negative, bare = _sign(cells["amount"])
    try:
        amount = _minor(bare) if minor else amounts(bare, "amount")
        at = moments(cells["spent_on"], "spent_on")
    except RowError as error:
        return Odd(number, "not_a_date" if error.code == "not_a_date" else "bad_money", error.value[:40], raw)
    back = negative or word in _BACK
    if amount is None or (back and not amount):
        return Odd(number, "bad_money", cells["amount"][:40], raw)
    if at is None:
        return Odd(number, "not_a_date", cells["spent_on"][:40], raw)
    day = at.astimezone(zone).date()
    texts = [cells.get(field, "")[:80] for field in ("reference", "category", "original")]
    return Spent(number, token, amount, day, texts[0], texts[1], back, texts[2], raw)


def _sign(text: str) -> tuple[bool, str]:
    """“-12”, “(12)” and “12-” are below zero."""
    bare = text.strip().replace("−", "-").replace("－", "-")
    if bare.startswith("(") and bare.endswith(")"):
        return True, bare[1:-1]
    if bare.startswith("-") or bare.endswith("-"):
        return True, bare.strip("-").strip()
    return False, bare.lstrip("+")


def _minor(text: str) -> int | None:
    bare = text.replace(",", "").removesuffix(".0").removesuffix(".00")
    return int(bare) if bare.isdecimal() and len(bare) < 16 else None
