"""Finding members by what an assistant types: digits, a name, pinyin, a card, an e-mail.

Nothing here scans: every way in is an index range or an equality of docs/decisions/0004. Of a phone it shows the first
three digits and exactly those typed, enough to see why a row is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shuke.kit import bulk, crypto, pinyin
from shuke.members import terms, values
from shuke.members.models import MemberState
from shuke.members.queries.keys import Blinds, Span
from shuke.members.queries.reaching import numbers_of
from shuke.shops.models import Merchant

_NUMBER = re.compile(r"\+?[\d\s\-]+")
_LIST_CAP = 30_000  # rows read of one posting list; at a million members the longest has about as many
_CHECKED = 400  # candidates whose number is opened to see whether the digits stand together
_OVERREAD = 3  # rows read per row wanted: a member has several terms, and some are undone or merged away


class Hit(NamedTuple):
    """One member found. `phone_shown` is masked."""

    member_id: int
    card: str
    name: str
    nickname: str
    phone_shown: str
    matched_by: str  # card | phone | email | platform_id | name | nickname | pinyin | former_name


def find(merchant: Merchant, text: str, limit: int = 20) -> list[Hit]:
    """The members that `text` may mean, best first: whole card, number or address, then pieces. At most `limit`.

    Digits (four or more, spaces and +86 allowed) are looked for anywhere in phones, those at the end first. Other text
    is the beginning of any piece of a name or nickname, present or former, or of its pinyin or initials. Several words
    must all fit: "张 5678". Orders' numbers belong to a room above: see flows.search.
    """
    given, text = text.strip(), terms.plain(text)
    if not text:
        return []
    if _NUMBER.fullmatch(text) and (digits := _typed_digits(text)):
        found = _by_digits(merchant.id, digits, limit)
        return _hits(merchant.id, found, limit, digits, digits)
    if "@" in text:
        rows = _contact_holders(merchant.id, "email", Blinds(merchant.id).forms("email", text))
        return _hits(merchant.id, [(member, "email") for member in rows], limit, text)
    words = text.split()
    digits = next((word for word in words if word.isdecimal() and len(word) >= terms.GRAM_DIGITS), "")
    if digits:
        others = [word for word in words if word != digits]
        found = _by_digits(merchant.id, digits, _CHECKED)
        fitting = [h for h in _hits(merchant.id, found, _CHECKED, digits) if all(_fits(h, word) for word in others)]
        by = dict(found)  # numbers are opened last, for the few that are shown
        return _hits(merchant.id, [(h.member_id, by.get(h.member_id, "phone")) for h in fitting], limit, digits, digits)
    if len(words) > 1 and all(word.isascii() for word in words):
        words = ["".join(words), *words]  # "zhang xiao ming" is one name; "tony wang" may be two words of it
        hits = _by_text(merchant.id, words[0], limit)
        if hits:
            return hits
        words = words[1:]
    exact = _by_identity(Blinds(merchant.id), given) if len(words) == 1 else []
    hits = _hits(merchant.id, exact, limit, text)
    wanted = limit if len(words) == 1 else _CHECKED
    known = {hit.member_id for hit in hits}
    hits += [h for h in _by_text(merchant.id, words[0], wanted) if h.member_id not in known]
    return [hit for hit in hits if all(_fits(hit, word) for word in words[1:])][:limit]


def _typed_digits(text: str) -> str:
    digits = "".join([c for c in text if c.isdecimal()])
    return digits[2:] if text.startswith("+86") or (len(digits) == 13 and digits.startswith("861")) else digits


# --- digits


def _by_digits(merchant: int, digits: str, limit: int) -> list[tuple[int, str]]:
    found: dict[int, str] = {}
    blinds = Blinds(merchant)
    for member in _by_card(merchant, digits):
        found.setdefault(member, "card")
    for member, kind in _by_identity(blinds, digits):
        found.setdefault(member, kind)
    if len(digits) >= 7:
        forms = {digits, "+" + digits, "+86" + digits}
        asked = [blind for form in sorted(forms) for blind in blinds.forms("phone", form)]
        for member in _contact_holders(merchant, "phone", asked):
            found.setdefault(member, "phone")
    if len(digits) >= terms.GRAM_DIGITS and len(found) < limit:
        for member in _by_phone_piece(merchant, blinds.span, digits, limit * 2):
            found.setdefault(member, "phone")
    if len(found) < limit:
        for member in _by_prefix(merchant, digits, limit):
            found.setdefault(member, "")
    return list(found.items())


def _by_card(merchant: int, digits: str) -> list[int]:
    if len(digits) < 8:
        return []
    return [
        row[0]
        for table, column, owner in (("members_member", "card", "id"), ("members_card", "number", "member_id"))
        for row in bulk.select(
            f"SELECT {owner} FROM {table} WHERE merchant_id = %s AND {column} >= %s AND {column} < %s LIMIT 5",
            [merchant, digits, digits + ":"],  # ":" is the character after "9"
        )
    ]


def _by_phone_piece(merchant: int, span: Span, digits: str, limit: int) -> list[int]:
    """Members with a phone that has these digits in a row; those that end in them first."""
    if len(digits) == terms.GRAM_DIGITS:
        found = dict.fromkeys(_posted(merchant, span, "$" + digits, limit))
        if len(found) < limit:
            found |= dict.fromkeys(_posted(merchant, span, digits, limit))
        return list(found)
    width = terms.GRAM_DIGITS
    starts = [*range(0, len(digits) - width, width), len(digits) - width]
    both: set[int] | None = None
    for start in reversed(starts):  # the last digits vary most, so their list is the shortest
        members = _posted(merchant, span, digits[start : start + width], _LIST_CAP)
        both = set(members) if both is None else both.intersection(members)
        if not both:
            return []
    assert both is not None
    candidates = sorted(both)[:_CHECKED]
    numbers = numbers_of(merchant, candidates)
    ending, inside = [], []
    for member in candidates:
        own = [values.national_digits(number) for number in numbers.get(member, ())]
        if any(number.endswith(digits) for number in own):
            ending.append(member)
        elif any(digits in number for number in own):
            inside.append(member)
    return ending + inside


def _posted(merchant: int, span: Span, piece: str, limit: int) -> list[int]:
    """The members in the posting lists of these digits, of every generation in use."""
    found: list[int] = []
    for generation in span.every:
        gram = crypto.gram(piece, merchant, generation)
        rows = bulk.select(
            "SELECT posting FROM members_phone_gram WHERE merchant_id = %s AND gram = %s LIMIT %s",
            [merchant, gram, limit],
        )
        found += crypto.posted(gram, [row[0] for row in rows], merchant, generation)
    return found


# --- exact values


def _by_identity(blinds: Blinds, value: str) -> list[tuple[int, str]]:
    """Who has this very number on some platform, or as a card of another system."""
    found, merchant = [], blinds.merchant
    for kind in ("card", "platform_id"):
        forms = blinds.forms(kind, value.replace("-", "") if kind == "card" else value)
        marks = ", ".join(["%s"] * len(forms))
        for realm in _realms(merchant, kind):
            found += [
                (row[0], kind)
                for row in bulk.select(
                    "SELECT member_id FROM members_identity WHERE merchant_id = %s AND kind = %s AND realm = %s "
                    f"AND blind IN ({marks})",
                    [merchant, kind, realm, *forms],
                )
            ]
    return found


def _realms(merchant: int, kind: str) -> list[str]:
    """The platforms known for a kind, by hopping along the index rather than reading it all."""
    first = "SELECT MIN(realm) FROM members_identity WHERE merchant_id = %s AND kind = %s"
    rows = bulk.select(
        f"WITH RECURSIVE hop(realm) AS ({first} UNION ALL SELECT ({first} AND realm > hop.realm) FROM hop "
        "WHERE hop.realm IS NOT NULL) SELECT realm FROM hop WHERE realm IS NOT NULL",
        [merchant, kind, merchant, kind],
    )
    return [row[0] for row in rows]


def _contact_holders(merchant: int, kind: str, blinds: Sequence[bytes]) -> list[int]:
    marks = ", ".join(["%s"] * len(blinds))
    rows = bulk.select(
        f"SELECT member_id FROM members_contact WHERE merchant_id = %s AND kind = %s AND blind IN ({marks}) "
        "AND NOT masked AND NOT virtual LIMIT 100",
        [merchant, kind, *blinds],
    )
    return [row[0] for row in rows]


# --- text


def _by_text(merchant: int, word: str, limit: int) -> list[Hit]:
    found = [(member, "") for member in _by_prefix(merchant, word, limit)]
    return [hit for hit in _hits(merchant, found, len(found), word) if _fits(hit, word)][:limit]


def _by_prefix(merchant: int, word: str, limit: int) -> list[int]:
    low = terms.cut(word)
    if not low:
        return []
    rows = bulk.select(
        "SELECT member_id FROM members_search_term WHERE merchant_id = %s AND term >= %s AND term < %s LIMIT %s",
        [merchant, low, _after(low), limit * _OVERREAD],
    )
    return list(dict.fromkeys(row[0] for row in rows))


def _after(prefix: bytes) -> bytes:
    """The first bytes that no longer begin with `prefix`. UTF-8 has no byte 255, so the last can always grow."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _fits(hit: Hit, word: str) -> bool:
    """Whether a longer or further word fits a member that was found by something shorter."""
    if hit.matched_by == "former_name" and len(word) <= terms.TERM_CHARACTERS:
        return True
    if word in terms.plain(hit.name) or word in terms.plain(hit.nickname) or word in hit.card:
        return True
    return any(read.startswith(word) for own in (hit.name, hit.nickname) for read in terms.pinyins(own))


# --- what is shown


def _hits(merchant: int, found: Iterable[tuple[int, str]], limit: int, typed: str, digits: str = "") -> list[Hit]:
    """Members with how they were found, in the order found; only living ones, each once."""
    order = list(dict(found).items())
    rows = _living(merchant, [member for member, _ in order])
    chosen: dict[int, tuple[tuple, str, int]] = {}
    for member, matched_by in order:
        row = rows.get(member)
        if row is not None and row[0] not in chosen:
            chosen[row[0]] = (row, matched_by, member)  # somebody merged away is found by numbers of their own
            if len(chosen) == limit:
                break
    numbers = numbers_of(merchant, [found for _, by, found in chosen.values() if by == "phone"]) if digits else {}
    hits = []
    for member, (row, by, found_as) in chosen.items():
        _, card, name, nickname, phone_shown = row
        number = next((n for n in numbers.get(found_as, ()) if digits in values.national_digits(n)), "")
        if number:
            phone_shown = values.number_showing(number, digits)
        hits.append(Hit(member, card, name, nickname, phone_shown, by or _why(typed, name, nickname)))
    return hits


def _living(merchant: int, members: list[int]) -> dict[int, tuple]:
    """Rows (id, card, name, nickname, phone) of living members by the id they were found under."""
    if not members:
        return {}
    condition, parameter = bulk.among("id", members)
    rows = {
        row[0]: row
        for row in bulk.select(  # "+": by id, and not by reading all members of the merchant
            "SELECT id, card, name, nickname, phone_hint, state, merged_into_id FROM members_member "
            f"WHERE +merchant_id = %s AND {condition}",
            [merchant, parameter],
        )
    }
    found: dict[int, tuple] = {}
    moved = {id: row[6] for id, row in rows.items() if row[5] == MemberState.MERGED and row[6]}
    heirs = _living(merchant, sorted(set(moved.values()))) if moved else {}
    for id, row in rows.items():
        if row[5] == MemberState.ACTIVE:
            found[id] = row[:5]
        elif id in moved and moved[id] in heirs:
            found[id] = heirs[moved[id]]
    return found


def _why(typed: str, name: str, nickname: str) -> str:
    if typed in terms.plain(name):
        return "name"
    if typed in terms.plain(nickname):
        return "nickname"
    if any(pinyin.is_chinese(c) for c in name + nickname) and any(
        read.startswith(typed) for own in (name, nickname) for read in terms.pinyins(own)
    ):
        return "pinyin"
    return "former_name"
