"""What changes of stored value and the accounts they move are called, Chinese first: the same words on every screen."""

from __future__ import annotations

KINDS: dict[str, tuple[str, str]] = {
    "top_up": ("充值", "topped up"),
    "spend": ("消费", "spent"),
    "capture": ("消费", "spent"),
    "return": ("退货", "goods came back"),
    "withdraw": ("退还", "paid out"),
    "adjust": ("人工", "by hand"),
    "lapse": ("赠送金额失效", "bonus lapsed"),
    "redeem": ("礼品卡", "gift card"),
    "void": ("作废", "made void"),
}
ACCOUNTS: dict[str, tuple[str, str]] = {
    "received": ("收款", "money received"),
    "granted": ("赠送", "added as bonus"),
    "adjusted": ("人工", "by hand"),
    "adjusted_bonus": ("人工", "by hand"),
    "sold": ("消费", "spent"),
    "sold_bonus": ("消费", "spent"),
    "paid_out": ("退还", "paid out"),
    "voided": ("作废卡余额", "on void cards"),
    "forfeited": ("收回", "given up"),
    "lapsed": ("赠送金额失效", "bonus lapsed"),
}


def kind(code: str, language: str) -> str:
    return _said(KINDS, code, language)


def account(code: str, language: str) -> str:
    return _said(ACCOUNTS, code, language)


def _said(words: dict[str, tuple[str, str]], code: str, language: str) -> str:
    return words.get(code, (code, code))[0 if language.startswith("zh") else 1]
