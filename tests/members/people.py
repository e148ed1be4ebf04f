"""People as files state them, for the tests of this room. All made up."""

from __future__ import annotations

from shuke.engine.facts import Address, Claim, IdentityKind, Person, Phone

K = IdentityKind


def nick(name: str, realm: str = "taobao") -> Claim:
    return Claim(K.NICKNAME, name, realm)


def uid(value: str, realm: str = "taobao") -> Claim:
    return Claim(K.PLATFORM_ID, value, realm)


def phone(number: str, verified: bool = False) -> Claim:
    return Claim(K.PHONE, number, "", verified)


def card(value: str) -> Claim:
    return Claim(K.CARD, value)


def person(*claims: Claim, phones: tuple[str, ...] = (), **fields) -> Person:
    return Person(claims=claims, phones=tuple(Phone(number) for number in phones), **fields)


MING = "+8613812345678"
HOME = Address("中山路1号302室", "上海", "上海", "黄浦区")
