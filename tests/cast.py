"""The people of the tests: who owns, who helps, who must not see.

Lan's Shop 兰记 sells skin care in Shanghai from two street stores and a Taobao shop. 明德母婴 shares the installation and
nothing else. All of them are made up; phone numbers are in ranges used for nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from shuke.shops import actions
from shuke.shops.models import Merchant, Role, Staff, Store

OPENED = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # noon in Shanghai: "now" when a test does not care which
PASSWORD = "correct horse battery"


class Shop(NamedTuple):
    merchant: Merchant
    street: Store  # the first street store
    second: Store  # another street store
    online: Store  # the shop on Taobao
    owner: Staff
    manager: Staff
    specialist: Staff
    assistant: Staff
    auditor: Staff


def _open(name: str, zone: str, currency: str, prefix: str, places: list[tuple[str, str, str]]) -> Shop:
    merchant = actions.create_merchant(name=name, zone=zone, currency=currency, now=OPENED)
    stores = actions.ensure_stores(merchant=merchant, stores=places)
    street, second, online = (stores[platform, code] for platform, code, _ in places)
    people = [
        actions.create_staff(
            merchant=merchant,
            username=f"{prefix}.{role}",
            password=PASSWORD,
            name=f"{prefix.title()} {role}",
            role=role,
            store=street if role in (Role.MANAGER, Role.ASSISTANT) else None,
            now=OPENED,
        )
        for role in (Role.OWNER, Role.MANAGER, Role.SPECIALIST, Role.ASSISTANT, Role.AUDITOR)
    ]
    return Shop(merchant, street, second, online, *people)


def lan() -> Shop:
    return _open(
        "Lan's Shop 兰记",
        "Asia/Shanghai",
        "CNY",
        "lan",
        [("pos", "XH", "徐汇店"), ("pos", "JA", "静安店"), ("taobao", "兰记护肤", "兰记护肤淘宝店")],
    )


def mingde() -> Shop:
    """Same store codes as Lan's on purpose: only the merchant keeps them apart."""
    return _open(
        "明德母婴",
        "Asia/Shanghai",
        "CNY",
        "mingde",
        [("pos", "XH", "徐家汇店"), ("pos", "JA", "江宁路店"), ("taobao", "兰记护肤", "明德母婴旗舰店")],
    )
