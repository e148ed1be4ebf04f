"""Names, numbers and claims in comparable form, and what must never be compared. Pure.

"Masked" is a value a platform has starred out; "virtual" a number that rotates from order to order. Both look the
same for different people, so neither ever tells who somebody is.
"""

from __future__ import annotations

import re
import unicodedata

from shuke.engine.facts import Address, Claim, Person, Phone

_NUMBER = re.compile(r"\+?[0-9]{7,15}")
_FORM_OF_ADDRESS = re.compile(r"(先生|女士|小姐|太太|老师|师傅|同学)$")
_SPACE = re.compile(r"\s+")


def is_masked(text: str) -> bool:
    # Spelt out: asked for every value of every row.
    return "*" in text or "＊" in text or "●" in text or "•" in text or "✱" in text or "xxx" in text or "XXX" in text


def plain_name(name: str) -> str:
    """A name for comparing: 张 小明 and 张小明 are one, and so are full- and half-width letters."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def is_full_name(name: str) -> bool:
    """张小明, not 张*明, 张先生 or 张: only a full name may say that two people share it."""
    return len(name.strip()) >= 2 and not is_masked(name) and not _FORM_OF_ADDRESS.search(name.strip())


def alike(one: str, other: str) -> str:
    """Whether two names may be one person's: "same" for two equal full names, "maybe" where one is starred out or
    short and what can be read agrees (张** and 张小明), "" else."""
    a, b = plain_name(one), plain_name(other)
    if is_full_name(one) and is_full_name(other):
        return "same" if a == b else ""
    return "maybe" if a and b and a[0] == b[0] else ""


def is_real_number(phone: Phone) -> bool:
    """A whole number that belongs to a person."""
    return not phone.virtual and not phone.masked and _NUMBER.fullmatch(phone.number) is not None


def usable(claim: Claim, kind: str, person: Person) -> str:
    """The value to compare, "" if this claim (its kind as plain text beside it) tells nothing: blank, masked, virtual,
    no number at all."""
    value = claim.value.strip()
    if not value or is_masked(value):
        return ""
    if kind == "phone":
        if not _NUMBER.fullmatch(value):
            return ""
        for phone in person.phones:
            if phone.number == value and (phone.virtual or phone.masked):
                return ""
    elif kind == "email":
        value = value.casefold()
        if "@" not in value:
            return ""
    elif kind == "card":
        value = value.replace(" ", "").replace("-", "")
    elif kind == "nickname":
        value = unicodedata.normalize("NFC", value)
    return value


def name_address(person: Person) -> str:
    """Full name and full address in one comparable text, "" unless both are whole."""
    address = person.address
    if address is None or not is_full_name(person.name) or len(address.text.strip()) < 4 or is_masked(address.text):
        return ""
    place = plain_name(address.province + address.city + address.district + address.text)
    return f"{plain_name(person.name)}\n{place}"


def plain_address(address: Address) -> str:
    return plain_name("\n".join(address[:5]).replace("\n", "/"))


def national_digits(number: str) -> str:
    """The digits people say and type: +8613812345678 → 13812345678; other countries keep their code."""
    digits = "".join([c for c in number if c.isdecimal()])
    return digits[2:] if number.startswith("+86") and len(digits) == 13 else digits


def typed_number(text: str) -> str:
    """A number as people type it, in the form it is kept: 138 0013 8000 → +8613800138000, 0044… → +44…."""
    digits = re.sub(r"[\s\-().]", "", unicodedata.normalize("NFKC", text))
    if re.fullmatch(r"1[3-9][0-9]{9}", digits):
        return "+86" + digits
    return "+" + digits[2:] if digits.startswith("00") else digits


def masked_number(number: str) -> str:
    """138****5678. A number masked at its source stays as it is."""
    if is_masked(number):
        return number[:20]
    digits = national_digits(number)
    if len(digits) < 8:
        return "*" * max(len(digits) - 2, 0) + digits[-2:]
    return f"{digits[:3]}{'*' * (len(digits) - 7)}{digits[-4:]}"


def number_showing(number: str, typed: str) -> str:
    """First three digits and exactly the typed ones: an assistant sees why a row was found, and no more than that."""
    digits = national_digits(number)
    at = digits.rfind(typed) if digits.endswith(typed) else digits.find(typed)
    if not typed or at < 0 or is_masked(number):
        return masked_number(number)
    return "".join([d if i < 3 or at <= i < at + len(typed) else "*" for i, d in enumerate(digits)])


def masked_email(email: str) -> str:
    """w***@example.org"""
    head, _, host = email.partition("@")
    return f"{head[:1]}***@{host}" if host else "***"


_INSIDE = re.compile(r"(?<![0-9])(?:\+?86[- ]?)?(1[3-9][0-9]{9})(?![0-9])|([\w.+-]+)@([\w-]+\.[\w.-]+)", re.ASCII)


def numbers_inside(text: str) -> list[str]:
    """Mobile numbers that stand in a free text, as E.164."""
    return ["+86" + found[1] for found in _INSIDE.finditer(text) if found[1]]


def without_contacts(text: str) -> str:
    """A free text, name or nickname with the numbers and mail addresses in it masked: those are kept as contacts only.

    Old exports name buyers by their payment account, which is a phone or an e-mail; sellers write numbers into notes.
    """
    if not text or text.isalpha():
        return text
    return _INSIDE.sub(lambda f: masked_number(f[1]) if f[1] else masked_email(f[0]), text)


def luhn_digit(digits: str) -> str:
    """The check digit to append: catches every single wrong digit and almost every swap of neighbours."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return str(-total % 10)


def is_card(text: str) -> bool:
    """A number whose check digit is right."""
    return len(text) >= 8 and text.isascii() and text.isdigit() and luhn_digit(text[:-1]) == text[-1]


def card_number(serial: int) -> str:
    """The merchant's n-th card: 66, the number in nine places, check digit."""
    body = f"66{serial:09d}"
    return body + luhn_digit(body)
