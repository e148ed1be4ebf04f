"""What stands in a cell: ids, money, moments, phones, addresses, and the many ways to write nothing.

Each reader turns one cell's text into a value or raises RowError, which keeps the row out and says why. Oddities (the
row may come in, but somebody should know) go to `Notes.odd`. The quick ways come first: an import reads millions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from shuke.connect.importers.currencies import SIGN, currency_of
from shuke.engine.facts import Address, Phone
from shuke.kit import money
from shuke.kit.clock import UTC
from shuke.kit.tabular.header import normal

BLANK = frozenset(
    ["", "-", "--", "—", "null", "NULL", "Null", '"null"', "None", "none", "nil", "无", "/", "\\N", "N/A", "n/a", "#N/A",
     "无退款申请", "订单未关闭", "未填写", "暂无"]
)  # fmt: skip
_EXCEL_TEXT = re.compile(r'^=\s*"(.*)"$', re.S)
_LOST_ID = re.compile(r"^\d(?:[.,]\d+)?[Ee]\+?\d+$")
_MOMENT = re.compile(
    r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[ T]+(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2})秒?(?:[.,]\d+)?)?分?)?"
    r"\s*(Z|UTC|[+-]\d\d:?\d\d)?$"
)
_CLOCK = re.compile(r"^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$", re.A)
_DAY = timedelta(days=1)
_COMPACT = re.compile(r"^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?$")
_SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")
_SERIAL_BASE = datetime(1899, 12, 30)
_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_VIRTUAL = re.compile(r"^(?:\+?86[- ]?)?(1[3-9]\d{9})\s*(?:[-,，转#]|ext\.?)\s*(\d{1,6})$", re.I)
_LANDLINE = re.compile(r"^(0\d{2,3})-?(\d{7,8})$")
REJECT_COLUMNS = ("shuke:row", "shuke:column", "shuke:reason")  # added to the file of rejected rows, ignored when read
MADE_NUMBER = "shuke:number"  # beside them where the file has no order numbers: the one that was made (unnumbered.py)
REJECT_NAMES = frozenset(normal(name) for name in (*REJECT_COLUMNS, MADE_NUMBER))
BRUSHING = re.compile(r"刷单|刷手|刷客|刷信誉|空包")


class RowError(Exception):
    """This row cannot be taken in. `code` names a sentence in problems.py."""

    def __init__(self, code: str, column: str = "", value: str = "", **params: str) -> None:
        super().__init__(code)
        self.code, self.column, self.value, self.params = code, column, value, params


class Notes:
    """Where a row's oddities are put down while it is being read; the reader's loop hands them on."""

    def __init__(self) -> None:
        self.pending: list[tuple[str, str, str]] = []  # code, column, value

    def odd(self, code: str, column: str = "", value: str = "") -> None:
        self.pending.append((code, column, value))


def plain(text: str) -> str:
    """The cell's meaning as text: trimmed, `="12"` and `'12` taken out of their wrapping, words for nothing as ""."""
    text = text.strip()
    if text in BLANK:
        return ""
    first = text[0]
    if first == "=" or first == "'" or first == '"':
        return _unwrapped(text)
    return text


def _unwrapped(text: str) -> str:
    found = _EXCEL_TEXT.match(text)
    if found:
        text = found.group(1)
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    text = text.removeprefix("'").strip()
    return "" if text in BLANK else text


def number_id(text: str, column: str, *, digits: bool = True) -> str:
    """An order, refund or sub-order number; a code need not have `digits`. Raises RowError: number_missing, number_too_long,
    not_a_number, lost_id."""
    if text.isdecimal() and text.isascii():
        return text
    text = plain(text)
    if not text:
        raise RowError("number_missing", column)
    if text[:3].lower() == "no:":
        text = text[3:].strip()
    if _LOST_ID.match(text):
        raise RowError("lost_id", column, text)
    if text.endswith(".0") and text[:-2].isdecimal():
        text = text[:-2]
    if len(text) > 60:
        raise RowError("number_too_long", column, text[:80])
    if digits and not any(char.isdigit() for char in text):  # a torn row, or columns that moved
        raise RowError("not_a_number", column, text)
    return text


def same_currency(text: str, column: str, expected: str) -> None:
    """Books are kept in one currency; a row in another is kept out, not counted as if it were the same money. Raises
    RowError: other_currency."""
    if (bare := plain(text)) and (found := currency_of(bare, expected)) != expected:
        raise RowError("other_currency", column, text, found=found, expected=expected)


class Amounts:
    """Money texts to minor units, remembered: prices repeat."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self._places = money.digits(currency)
        self._known: dict[str, int | None] = {}

    def __call__(self, text: str, column: str) -> int | None:
        """Minor units; None where the cell says nothing. Raises RowError: bad_money, negative_amount, other_currency."""
        try:
            return self._known[text]
        except KeyError:
            pass
        whole, _, cents = text.partition(".")
        if len(cents) == self._places == 2 and len(whole) < 14 and (whole + cents).isdecimal() and whole:
            value: int | None = int(whole + cents)
        else:
            value = self._read(text, column)
        if len(self._known) > 200_000:
            self._known.clear()
        self._known[text] = value
        return value

    def aside(self, text: str) -> int:
        """A figure beside those that matter: one that cannot be read is nothing, and keeps no row out."""
        if not text:
            return 0
        try:
            return self(text, "") or 0
        except RowError:
            return 0

    def _read(self, text: str, column: str) -> int | None:
        bare = plain(text)
        if not bare:
            return None
        bare = unicodedata.normalize("NFKC", bare).replace(" ", "").replace(",", "")
        if sign := SIGN.match(bare := bare.replace("元", "")):
            same_currency(sign.group(), column, self.currency)
            bare = bare[sign.end() :]
        try:
            value = Decimal(bare).scaleb(self._places)
        except InvalidOperation:
            raise RowError("bad_money", column, text) from None
        if not value.is_finite() or abs(value) > 10**15:
            raise RowError("bad_money", column, text)
        value = round(value, 6)  # 12.299999999999999, as spreadsheets save 12.3
        if value != value.to_integral_value():
            raise RowError("bad_money", column, text)
        if value < 0:
            raise RowError("negative_amount", column, text)
        return int(value)


class Moments:
    """Local date texts to instants in UTC. Days and times of day are remembered apart: both repeat a lot."""

    def __init__(
        self, zone: ZoneInfo, notes: Notes, formats: tuple[str, ...] = (), *, latest: datetime | None = None
    ) -> None:
        self._zone, self._notes, self._formats, self._latest = zone, notes, formats, latest
        self._days: dict[str, datetime] = {}
        self._clocks: dict[str, timedelta] = {}

    def __call__(self, text: str, column: str) -> datetime | None:
        """The instant; None where the cell says nothing (filler dates of 1970 with an oddity). Raises RowError: not_a_date, in_future."""
        if not text:
            return None
        day, _, clock = text.partition(" ")
        start = self._days.get(day)
        if start is None:
            return self._read(text, column)
        since = self._clocks.get(clock)
        if since is None:
            found = _CLOCK.match(clock)
            if found is None:
                return self._read(text, column)
            hours, minutes, seconds = found.groups("0")
            since = timedelta(0, int(seconds), 0, 0, int(minutes), int(hours))
            if since >= _DAY or int(minutes) > 59 or int(seconds) > 59:
                return self._read(text, column)
            if len(self._clocks) > 100_000:
                self._clocks.clear()
            self._clocks[clock] = since
        return start + since

    def _read(self, text: str, column: str) -> datetime | None:
        bare = plain(text)
        if not bare:
            return None
        local, offset = self._local(bare, column, text)
        if local.year <= 1971:
            self._notes.odd("filler_date", column, bare)
            return None
        if local.year > 2100:
            raise RowError("not_a_date", column, text)
        aware = local.replace(tzinfo=self._zone) if offset is None else (local - offset).replace(tzinfo=UTC)
        if self._latest is not None and aware > self._latest:
            raise RowError("in_future", column, text)
        if offset is not None:
            return aware
        day = text.partition(" ")[0]
        midnight = datetime(local.year, local.month, local.day)
        start, end = (
            moment.replace(tzinfo=self._zone).utcoffset() for moment in (midnight, midnight + timedelta(days=1))
        )
        if start == end == aware.utcoffset() and start is not None and not self._formats:  # no clock change on this day
            if len(self._days) > 40_000:
                self._days.clear()
            self._days[day] = (midnight - start).replace(tzinfo=UTC)
        return aware.astimezone(UTC)

    def _local(self, bare: str, column: str, text: str) -> tuple[datetime, timedelta | None]:
        for pattern in self._formats:
            try:
                return datetime.strptime(bare, pattern), None
            except ValueError:
                continue
        found = _MOMENT.match(bare) or _COMPACT.match(bare)
        try:
            if found:
                parts = [int(part) if part else 0 for part in found.groups()[:6]]
                if parts[0] == 0:  # 0000-00-00: another filler
                    return datetime(1970, 1, 1), None
                offset = found.group(7) if found.re is _MOMENT else None
                return datetime(*parts), _offset(offset)  # type: ignore[arg-type]
            if _SERIAL.match(bare):
                return _SERIAL_BASE + timedelta(seconds=round(float(bare) * 86_400)), None
            iso = datetime.fromisoformat(bare)
            return iso.replace(tzinfo=None), iso.utcoffset()
        except (ValueError, OverflowError):
            raise RowError("not_a_date", column, text) from None


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text in ("Z", "UTC"):
        return timedelta(0)
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))


def quantity(text: str, column: str) -> int:
    """Thousandths; an empty cell is one piece. Raises RowError: bad_quantity."""
    if len(text) < 10 and text.isdecimal():
        return int(text) * 1000
    bare = plain(text).replace(",", "")
    if not bare:
        return 1000
    try:
        value = Decimal(re.sub(r"[件个只套双瓶盒包条份]$", "", bare)) * 1000
    except InvalidOperation:
        raise RowError("bad_quantity", column, text) from None
    if not value.is_finite() or value < 0 or value > 10**12:
        raise RowError("bad_quantity", column, text)
    return int(value)


def phone(text: str, role: str = "receiver", expires_at: datetime | None = None, virtual: bool = False) -> Phone | None:
    """A contact number. Mainland mobiles become E.164; masked and virtual ones are marked and never a claim."""
    if len(text) == 11 and text.isdecimal() and text.isascii() and text[0] == "1" and text[1] > "2":
        return Phone("+86" + text, role, virtual, False, expires_at)
    bare = plain(text)
    if not bare:
        return None
    bare = unicodedata.normalize("NFKC", bare)
    if "*" in bare:
        return Phone(re.sub(r"[\s-]", "", bare), role, virtual, True, expires_at)
    found = _VIRTUAL.match(bare)
    if found:
        return Phone(f"{found.group(1)}-{found.group(2)}", role, True, False, expires_at)
    bare = bare.removesuffix(".0")  # a number cell, saved as text
    international = bare.startswith(("+", "00"))
    digits = re.sub(r"[\s().-]", "", bare)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    rest = digits.removeprefix("+86").removeprefix("86") if digits.startswith(("+86", "86")) else digits
    if rest.isdecimal() and _MOBILE.match(rest):
        return Phone("+86" + rest, role, virtual, False, expires_at)
    if international and digits[1:].isdecimal() and 8 <= len(digits) <= 16:
        return Phone(digits, role, virtual, False, expires_at)
    landline = _LANDLINE.match(re.sub(r"[\s()]", "", bare))
    if landline:
        return Phone("+86" + landline.group(1)[1:] + landline.group(2), role, virtual, False, expires_at)
    return None


def own_country(text: str, country: str, role: str = "receiver") -> Phone | None:
    """As `phone`, and ten digits of a North American buyer are completed with +1."""
    found = phone(text, role)
    if found is None and country.strip().upper() in ("US", "CA", "USA", "UNITED STATES", "CANADA"):
        digits = re.sub(r"\D", "", text)
        if len(digits) == 11 and digits[0] == "1":
            digits = digits[1:]
        if len(digits) == 10 and "*" not in text:
            return Phone("+1" + digits, role)
    return found


def is_mobile(number: Phone) -> bool:
    """Fit to say who somebody is: a whole, lasting mobile number."""
    return not (number.virtual or number.masked) and number.number.startswith("+")


def address(text: str) -> Address | None:
    """`省 市 区 镇 详细(邮编)` split at its blanks; municipalities repeat their name as city and stay so."""
    text = plain(text)
    if not text:
        return None
    postcode = ""
    if text[-1] in ")）" and text[-8:-7] in ("(", "（") and text[-7:-1].isdecimal():
        postcode, text = text[-7:-1], text[:-8].rstrip()
        if postcode == "000000":
            postcode = ""
    parts = text.split(None, 4)
    count = len(parts)
    if count >= 3 and (parts[0] in _provinces_met or _is_province(parts[0])):
        if count == 5:
            province, city, district, town, detail = parts
            return Address(detail, province, city, district, town, postcode)
        if count == 4:
            return Address(parts[3], parts[0], parts[1], parts[2], "", postcode)
        return Address(parts[2], parts[0], parts[1], "", "", postcode)
    return Address(text, postcode=postcode)


def _is_province(word: str) -> bool:
    if not word.endswith(("省", "市", "区", "州", "行政区")) and word not in _PROVINCES:
        return False
    if len(_provinces_met) < 1_000:
        _provinces_met.add(word)
    return True


_provinces_met: set[str] = set()
_PROVINCES = frozenset(
    [
        "北京",
        "天津",
        "上海",
        "重庆",
        "河北",
        "山西",
        "辽宁",
        "吉林",
        "黑龙江",
        "江苏",
        "浙江",
        "安徽",
        "福建",
        "江西",
        "山东",
        "河南",
        "湖北",
        "湖南",
        "广东",
        "海南",
        "四川",
        "贵州",
        "云南",
        "陕西",
        "甘肃",
        "青海",
        "台湾",
        "内蒙古",
        "广西",
        "西藏",
        "宁夏",
        "新疆",
        "香港",
        "澳门",
    ]
)


def placed(province: str, city: str, district: str, detail: str, town: str = "", postcode: str = "") -> Address | None:
    """An address that comes in columns of its own; None if all are empty."""
    parts = [plain(part) for part in (detail, province, city, district, town, postcode)]
    return Address(*parts) if any(parts) else None


def name_address(name: str, where: Address | None) -> str:
    """The comparable form of a name with an address, "" where one is missing or masked. Only ever a hint."""
    if not name or where is None or "*" in name or "*" in where.text or not where.text:
        return ""
    return f"{name}|{where.province}{where.city}{where.district}{where.town}{where.text}".replace(" ", "")


def email(text: str) -> str:
    """A usable address in lower case, else ""."""
    bare = plain(text).lower()
    return bare if re.fullmatch(r"[^@\s*]+@[^@\s*]+\.[^@\s*.]+", bare) else ""


def cached(read: Callable[[str], str], limit: int = 50_000) -> Callable[[str], str]:
    """Remember what a text turned into, for columns that repeat themselves."""
    known: dict[str, str] = {}

    def look(text: str) -> str:
        try:
            return known[text]
        except KeyError:
            if len(known) > limit:
                known.clear()
            value = known[text] = read(text)
            return value

    return look
