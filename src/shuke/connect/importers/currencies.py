"""What a cell calls a currency: a code, a name, a sign."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = {
    "CNY": "CNY", "RMB": "CNY", "CN¥": "CNY", "人民币": "CNY", "元": "CNY", "人民币元": "CNY",
    "USD": "USD", "US$": "USD", "美元": "USD", "HK$": "HKD", "港币": "HKD", "港元": "HKD", "NT$": "TWD", "新台币": "TWD",
    "€": "EUR", "欧元": "EUR", "£": "GBP", "英镑": "GBP", "JP¥": "JPY", "日元": "JPY",
}  # fmt: skip

SIGN = re.compile(r"^(?:CNY|RMB|USD|US\$|HK\$|NT\$|[¥￥$€£])", re.I)


def currency_of(sign: str, expected: str) -> str:
    """The currency a code, name or sign stands for. `$` and `¥` are several currencies': the expected one, if it is theirs."""
    bare = unicodedata.normalize("NFKC", sign).strip().upper()
    if bare == "¥":
        return expected if expected in ("CNY", "JPY") else "CNY"
    if bare == "$":
        return "USD" if expected in ("CNY", "JPY", "EUR", "GBP") else expected
    return _SIGNS.get(bare, bare)
