"""What a member can be found by, worked out from the values themselves. Pure.

A name is indexed from each Chinese character on (张小明 → 张小明, 小明, 明), so that any piece of it is the
beginning of some term and a search is a prefix range. Letters and digits inside a nickname are indexed from the
beginning of their run. Pinyin is indexed in full and as initials, from the surname and from the given name on.
Terms are cut short: a longer search narrows by its beginning and is checked against the member itself.
"""

from __future__ import annotations

import unicodedata

from shuke.kit import crypto, pinyin
from shuke.members.values import is_masked, national_digits

TERM_CHARACTERS = 8  # twice as many of plain letters, which say less
GRAM_DIGITS = 4


def plain(text: str) -> str:
    """Text as it is compared in searches."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def cut(text: str) -> bytes:
    """A term, or the beginning of a longer search, as stored."""
    return text[: TERM_CHARACTERS * (2 if text.isascii() else 1)].encode()


def pieces(text: str) -> list[str]:
    """The text from each Chinese character and from the start of each run of letters or digits on."""
    text = plain(text)
    starts, before = [], ""
    for place, character in enumerate(text):
        if pinyin.is_chinese(character):
            kind = "chinese"
        elif character.isdecimal():
            kind = "digit"
        elif character.isalpha():
            kind = "letter"
        else:
            kind = ""
        if kind and (kind == "chinese" or kind != before):
            starts.append(text[place:])
        before = kind
    return starts


def pinyins(text: str) -> list[str]:
    """zhangxiaoming, xiaoming, zxm, xm for 张小明; nothing for a text without Chinese."""
    read = pinyin.syllables(plain(text)[:12])
    if not read:
        return []
    found = ["".join(read), "".join([s[0] for s in read])]
    if len(read) > 2:
        found += ["".join(read[1:]), "".join([s[0] for s in read[1:]])]
    return found


def of_text(text: str) -> set[bytes]:
    """Every term of one name or nickname."""
    if not text or is_masked(text):
        text = text.split("*", 1)[0]  # 张** is still found by 张
    return {cut(term) for term in pieces(text) + pinyins(text) if term}


def grams_of(number: str, merchant: int, generation: int) -> set[bytes]:
    """Posting lists a phone is in: one per four digits anywhere, and one more for its last four, which people say most."""
    digits = national_digits(number)
    pieces = [digits[i : i + GRAM_DIGITS] for i in range(len(digits) - GRAM_DIGITS + 1)]
    found = {crypto.gram(piece, merchant, generation) for piece in pieces}
    if len(digits) >= GRAM_DIGITS:
        found.add(tail_gram(digits, merchant, generation))
    return found


def tail_gram(digits: str, merchant: int, generation: int) -> bytes:
    """Posting list of the phones that end in these four digits."""
    return crypto.gram("$" + digits[-GRAM_DIGITS:], merchant, generation)
