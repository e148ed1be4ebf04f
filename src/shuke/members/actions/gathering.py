"""The distinct people of a batch, their claims and contacts in comparable form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shuke.engine.facts import IdentityKind, Person
from shuke.members import values
from shuke.members.queries.keys import Blinds

if TYPE_CHECKING:
    from shuke.members.actions.deciding import Known

Key = tuple[str, str, bytes]  # kind, realm, blind

# docs/algorithms/recognition.md. By plain text: an enum's members are slow to reach in a loop of millions.
RANK = {"platform_id": 5, "card": 4, "nickname": 2, "phone": 1, "email": 1}
_KIND = {kind: str(kind.value) for kind in IdentityKind}


class Usable(NamedTuple):
    """A claim in comparable form."""

    key: Key
    rank: int
    verified: bool
    value: str


class Reach(NamedTuple):
    """A contact as it will be stored. `text` is personal."""

    kind: str  # phone | email | address
    blind: bytes
    text: str
    role: str = ""
    real: bool = False  # a phone that belongs to a person: neither masked nor virtual
    virtual: bool = False
    masked: bool = False
    expires_at: datetime | None = None


class Sighting:
    """One distinct person of the batch, with the first and last moment met."""

    __slots__ = (
        "by", "claims", "first", "hint_key", "last", "last_place", "made", "member", "moments", "person", "reaches", "via",
        "woke",
    )  # fmt: skip

    def __init__(self, person: Person, moment: datetime, place: int) -> None:
        self.person = person
        self.first = self.last = moment
        self.last_place = place
        self.moments = [moment] if person.consents else None
        self.claims: list[Usable] = []
        self.hint_key: Key | None = None
        self.reaches: list[Reach] = []
        self.member: Known | None = None
        self.by = ""
        self.made = self.woke = False
        self.via: int | None = None  # the record that was recognised, where it has been merged into `member`


def gather(
    people: Sequence[Person | None], seen_at: Sequence[datetime | None] | None, now: datetime, blind: Blinds
) -> tuple[list[Sighting], list[int]]:
    """The distinct people of a batch, and for each place of the batch which of them (-1: nobody)."""
    sightings: list[Sighting] = []
    where: dict[Person, int] = {}
    answers_of = []
    for place, person in enumerate(people):
        if person is None:
            answers_of.append(-1)
            continue
        moment = (seen_at[place] if seen_at is not None else None) or now
        at = where.get(person)
        if at is None:
            at = where[person] = len(sightings)
            sighting = Sighting(person, moment, place)
            _prepare(sighting, blind)
            sightings.append(sighting)
        else:
            sighting = sightings[at]
            sighting.last_place = place
            if moment < sighting.first:
                sighting.first = moment
            elif moment > sighting.last:
                sighting.last = moment
            if sighting.moments is not None:
                sighting.moments.append(moment)
        answers_of.append(at)
    return sightings, answers_of


def _prepare(sighting: Sighting, blind: Blinds) -> None:
    person = sighting.person
    for claim in person.claims:
        kind = _KIND[claim.kind]
        if kind == "name_address" or not (value := values.usable(claim, kind, person)):
            continue
        key = (kind, claim.realm[:20], blind(kind, value))
        sighting.claims.append(Usable(key, RANK[kind], claim.verified, value))
        if kind == "phone" and all(phone.number != value for phone in person.phones):
            sighting.reaches.append(Reach("phone", key[2], value, "buyer", real=True))
        elif kind == "email" and not person.email:
            sighting.reaches.append(Reach("email", key[2], value))
    if not sighting.claims:
        return
    for phone in person.phones:
        if number := phone.number.strip():
            real = values.is_real_number(phone)
            sighting.reaches.append(
                Reach(
                    "phone",
                    blind("phone", number),
                    number,
                    phone.role[:10],
                    real,
                    phone.virtual,
                    phone.masked,
                    phone.expires_at,
                )
            )
    for number in values.numbers_inside(person.note) if person.note else ():
        sighting.reaches.append(Reach("phone", blind("phone", number), number, "note", real=True))
    if person.email and not values.is_masked(person.email):
        mail = person.email.strip().casefold()
        sighting.reaches.append(Reach("email", blind("email", mail), mail))
    if person.address is not None and person.address.text.strip():
        text = values.plain_address(person.address)
        sighting.reaches.append(
            Reach("address", blind("address", text), "\n".join(person.address), masked=values.is_masked(text))
        )
        if hint := values.name_address(person):
            sighting.hint_key = ("name_address", "", blind("name_address", hint))


def is_bare(person: Person) -> bool:
    """Nothing but claims: the case of every till that knows a card and no more."""
    return not (
        person.name or person.nickname or person.address or person.gender or person.birthday or person.note
        or person.acquired_by or person.store_code or any(c.kind == "nickname" for c in person.claims)
    )  # fmt: skip


def shown(claim: Usable) -> str:
    kind = claim.key[0]
    if kind == "phone":
        return values.masked_number(claim.value)
    if kind == "email":
        return values.masked_email(claim.value)
    return values.without_contacts(claim.value)[:100]
