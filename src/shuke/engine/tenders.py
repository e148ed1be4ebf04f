"""Means of payment: one code each, in every file, table and till; and what people call them, Chinese first."""

from __future__ import annotations

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
    """The word for a code; a code of the shop's own is its own word."""
    chinese, english = NAMES.get(code, (code, code))
    return chinese if language.startswith("zh") else english
