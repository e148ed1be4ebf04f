"""Means of payment: one code each, in every file, table and till; and what people call them, Chinese first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

Tenders = tuple[tuple[str, int], ...]

NAMES: dict[str, tuple[str, str]] = {
    "cash": ("现金", "cash"),
    "wechat": ("微信支付", "WeChat Pay"),
    "alipay": ("支付宝", "Alipay"),
    "card": ("银行卡", "bank card"),
    "bank": ("银行转账", "bank transfer"),
    "points": ("积分", "points"),
    "stored_value": ("储值", "stored value"),
    "gift_cards": ("礼品卡", "gift cards"),
    "platform": ("平台余额或红包", "platform balance or red packets"),
    "credit": ("赊账", "on account"),
    "on_delivery": ("货到付款", "cash on delivery"),
    "paypal": ("PayPal", "PayPal"),
    "other": ("其他", "other"),
}
TAKEN = ("cash", "wechat", "alipay", "card", "bank")  # what a top-up is paid with


def name(code: str, language: str) -> str:
    """The word for a code; several at once are told with a plus, and a name of the shop's own is its own word."""
    place = 0 if language.startswith("zh") else 1
    return " + ".join(NAMES.get(part, (part, part))[place] for part in code.split("+"))


_WORDS: dict[str, str] = {
    "cash": "cash,现金,现金支付,现金收款",
    "wechat": "wechat,wechat pay,weixin,微信,微信支付,微信代付,微信支付-代销,微信安全支付",
    "alipay": "alipay,支付宝,支付宝支付,alipay cn",
    "card": "card,credit card,debit card,bank card,银行卡,刷卡,信用卡,储蓄卡,银联,银联支付,visa,mastercard,shopify payments,stripe,信用卡支付",
    "bank": "bank,bank transfer,bacs,direct bank transfer,bank deposit,银行转账,对公转账,公司转账,转账",
    "points": "points,loyalty points,积分,积分抵扣,积分支付",
    "stored_value": "stored value,store credit,balance,储值,储值卡,储值支付,储值余额,储值余额支付,会员余额,余额支付,e卡通",
    "gift_cards": "gift card,gift cards,gift_card,礼品卡,礼品卡支付,购物卡",
    "platform": "平台余额,京豆,红包,抖音支付,dou支付,在线支付,京东支付,线上支付",
    "credit": "on account,credit,赊账,挂账,白条",
    "on_delivery": "cash on delivery,cod,cash on delivery (cod),货到付款",
    "paypal": "paypal,paypal express checkout",
}
_CODES = {word: code for code, words in _WORDS.items() for word in words.split(",")}
_WITH_AMOUNT = re.compile(r"([^\s:：,，;；|+]+)\s*[:：]\s*(\d+(?:\.\d{1,2})?)(?!\d)")
_BETWEEN = re.compile(r"\s*[+、,，;；/|]\s*")


@lru_cache(maxsize=4096)
def code_of(told: str) -> str:
    """The code of what a file calls a means of payment. Several at once stay together, by code and joined with +; what
    nobody knows keeps its own name."""
    parts = {_CODES.get(part.strip().casefold(), part.strip()) for part in _BETWEEN.split(told.strip())}
    return "+".join(sorted(part for part in parts if part))[:40]


def paid_with(told: str, paid: int | None, platform: int = 0) -> Tenders | None:
    """How an order was paid of which a file names the means, and one sum; `platform`: how much of it was the platform's
    money. Amounts told beside the names count where they add up to the sum."""
    if not paid or paid < 0:
        return None
    parts = amounts_in(told)
    if parts and sum(minor for _, minor in parts) == paid:
        return told_together(parts)
    if parts:
        told = "+".join(code for code, _ in parts)
    platform = min(max(platform, 0), paid)
    return told_together([("platform", platform), (code_of(told), paid - platform)])


def amounts_in(told: str) -> list[tuple[str, int]]:
    """The codes and minor units of `支付宝:88.00;储值卡:12.00`; empty where no amounts are told."""
    if ":" not in told and "：" not in told:
        return []
    return [(code_of(name), round(float(figure) * 100)) for name, figure in _WITH_AMOUNT.findall(told)]


def money_of(paid: int | None, tenders: Tenders | None) -> int | None:
    """What was paid in money of a sum that counts points in: points stand beside it (facts.Order)."""
    return paid and paid - sum(minor for code, minor in tenders or () if code == "points")


def within(paid: int, worth: int, platform: int) -> int:
    """How much of the platform's money stands within what was paid, where a file does not say whether it was taken off
    before: what was taken off (worth less paid) may have been it, the rest of it cannot."""
    return max(0, min(paid, platform - max(0, worth - paid)))


def told_together(parts: Iterable[tuple[str, int]]) -> Tenders | None:
    """Amounts by code as a fact: added up, in one order, without what paid nothing."""
    sums: dict[str, int] = {}
    for code, minor in parts:
        sums[code] = sums.get(code, 0) + minor
    return tuple(sorted((code, minor) for code, minor in sums.items() if code and minor)) or None
