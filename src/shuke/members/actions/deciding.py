"""The decision about a batch of people, in memory: whose is each claim, what is new, what looks suspicious.

Everything that was known is in the Plan before `decide` starts; everything to be written is in it afterwards.
Each person is decided as if alone and in order of first appearance, so a file cut into batches anywhere gives the
same members.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.kit import ids
from shuke.members import values
from shuke.members.actions.gathering import Key, Reach, Sighting, Usable, is_bare, shown
from shuke.members.queries.keys import Blinds

ACTIVE, UNDONE, FORGOTTEN = "active", "undone", "forgotten"  # MemberState
VERIFIED_RANK = 3  # of a phone or e-mail that both the claim and our record call verified
SHARED_BY = 5  # a number with more holders than this is a shop's or a parcel station's: it says nothing


class Known:
    """A member as far as recognition cares, and what has become of it in this batch."""

    __slots__ = (
        "acquired_by", "attributes", "birth", "card", "changed", "city", "gender", "home_store_id", "id", "is_new",
        "joined_at", "joined_before", "name", "nickname", "nickname_at", "note", "phone_hint", "province", "rebooked",
        "state", "woken",
    )  # fmt: skip

    def __init__(self, id: int, joined_at: datetime, *, is_new: bool = False) -> None:
        self.id = id
        self.is_new = is_new
        self.state = ACTIVE
        self.card = self.name = self.nickname = self.gender = self.province = self.city = ""
        self.phone_hint = self.acquired_by = self.note = ""
        self.birth: tuple[int | None, int | None, int | None, bool] = (None, None, None, False)
        self.nickname_at: datetime | None = None
        self.home_store_id: int | None = None
        self.joined_at = joined_at
        self.joined_before: datetime | None = None  # the former date, where it moved
        self.attributes: dict[str, Any] | str = {}
        self.changed = self.woken = False
        self.rebooked = False  # a known member's birthday or joining day changed, by which points are reckoned


class Owner:
    """Who holds an identity, and when it was met."""

    __slots__ = ("changed", "first", "id", "last", "member", "shown", "verified", "via")

    def __init__(
        self, member: Known, id: int | None, verified: bool, first: datetime, last: datetime, shown: str = ""
    ) -> None:
        self.member, self.id, self.verified, self.first, self.last = member, id, verified, first, last
        self.shown = shown
        self.changed = False
        self.via: int | None = None  # the record that holds it, where that was merged into `member`


class Held:
    """A contact somebody has."""

    __slots__ = ("changed", "id", "last", "reach", "via")

    def __init__(self, id: int | None, last: datetime, reach: Reach | None = None) -> None:
        self.id, self.last, self.reach = id, last, reach
        self.changed = False
        self.via: int | None = None


class Plan:
    """What is known about a batch, and what follows from it."""

    def __init__(
        self, blinds: Blinds, sightings: list[Sighting], now: datetime, unborn: dict[Key, int] | None = None
    ) -> None:
        self.merchant, self.blinds, self.sightings, self.now = blinds.merchant, blinds, sightings, now
        self.unborn = unborn or {}  # a preview's newcomers of earlier chunks
        self.members: dict[int, Known] = {}
        self.owners: dict[Key, Owner] = {}
        self.realms: dict[int, set[str]] = {}  # platforms on which a member has a platform id
        self.contacts: dict[tuple[int, str, bytes], Held] = {}
        self.holders: dict[bytes, list[int]] = {}  # real phones: who has them
        self.with_phone: set[int] = set()  # members known to have a real phone
        self.stores: dict[str, int] = {}
        self.new_names: list[tuple[int, str]] = []  # member, text to find it by
        self.suspicions: set[tuple[int, int, str]] = set()

    def decide(self) -> Plan:
        """Decide every sighting in order."""
        for sighting in self.sightings:
            sighting.member, sighting.by, sighting.made, sighting.woke, sighting.via = None, "", False, False, None
            if sighting.claims:
                self._decide(sighting)
        return self

    def decides(self, sighting: Sighting) -> str:
        """The kind of claim that says who this is, now that the batch is decided."""
        best, kind = 0, ""
        for claim in sighting.claims:
            owner = self.owners[claim.key]
            if owner.member is sighting.member and (rank := _rank(claim, owner)) > best:
                best, kind = rank, claim.key[0]
        return kind

    def changes_members(self) -> bool:
        """Whether anything but the last time somebody was met has to be written."""
        return (
            any(member.is_new or member.changed for member in self.members.values())
            or any(owner.id is None for owner in self.owners.values())
            or any(held.id is None for held in self.contacts.values())
            or any(s.person.attributes or s.person.consents for s in self.sightings)
        )

    def _decide(self, sighting: Sighting) -> None:
        best: Known | None = None
        best_rank = 0
        rivals: list[Known] = []
        owners = self.owners
        missing = [claim for claim in sighting.claims if claim.key not in owners]
        # A platform gives one person one number: somebody who has another one there is somebody else.
        strangers = {claim.key[1] for claim in missing if claim.key[0] == "platform_id"} if missing else ()
        for claim in sighting.claims:
            owner = owners.get(claim.key)
            if owner is None:
                continue
            member = owner.member
            rank = _rank(claim, owner)
            if strangers and rank < 5 and not strangers.isdisjoint(self.realms.get(member.id, ())):
                rivals.append(member)
            elif member.state == FORGOTTEN:
                continue
            elif rank > best_rank:
                if best is not None and best is not member:
                    rivals.append(best)
                best, best_rank, sighting.by, sighting.via = member, rank, claim.key[0], owner.via
            elif member is not best:
                rivals.append(member)
        if best is None:
            best = Known(ids.new(), sighting.first, is_new=True)
            self.members[best.id] = best
            sighting.made = True
        elif best.state == UNDONE:
            best.state, best.woken, best.changed = ACTIVE, True, True
            best.joined_before, best.joined_at = best.joined_at, sighting.first
            sighting.woke = True
        sighting.member = best
        for claim in missing:
            if claim.key not in owners and not (claim.key[0] == "card" and claim.value == best.card):
                owner = Owner(best, None, claim.verified, sighting.first, sighting.last, shown(claim))
                owner.via = sighting.via  # what is told of one half of merged members stays with that half
                owners[claim.key] = owner
                if claim.key[0] == "platform_id":
                    self.realms.setdefault(best.id, set()).add(claim.key[1])
                elif claim.key[0] == "nickname":
                    self.new_names.append((best.id, values.without_contacts(claim.value)))
        for rival in rivals:
            self._suspect(best, rival, "other_platform_id" if self._elsewhere(sighting, rival) else "two_matches")
        self._meet(sighting, best)
        if not is_bare(sighting.person):
            self._fill(sighting, best)
        self._reach(sighting, best)
        if sighting.hint_key is not None:
            owner = owners.get(sighting.hint_key)
            if owner is None:
                owner = owners[sighting.hint_key] = Owner(best, None, False, sighting.first, sighting.last)
                owner.via = sighting.via
            elif owner.member is not best:
                self._suspect(best, owner.member, "same_name_address")

    def _elsewhere(self, sighting: Sighting, rival: Known) -> bool:
        """Whether the rival has a number of its own on a platform that this person has one on."""
        own = self.realms.get(rival.id, ())
        return any(
            claim.key[0] == "platform_id" and claim.key[1] in own and self.owners[claim.key].member is not rival
            for claim in sighting.claims
            if claim.key in self.owners
        )

    def _suspect(self, one: Known, other: Known, reason: str) -> None:
        if one is not other and other.state == ACTIVE:
            self.suspicions.add((min(one.id, other.id), max(one.id, other.id), reason))

    def _meet(self, sighting: Sighting, member: Known) -> None:
        """Move the moments at which identities and member were met."""
        first, last = sighting.first, sighting.last
        for claim in sighting.claims:
            owner = self.owners.get(claim.key)
            if owner is None or owner.member is not member:
                continue
            if last > owner.last:
                owner.last, owner.changed = last, True
            if first < owner.first:
                owner.first, owner.changed = first, True
            if claim.verified and not owner.verified:
                owner.verified = owner.changed = True
        told = sighting.person.joined_at
        joined = first if told is None or told > first else told
        if joined < member.joined_at:
            if member.joined_before is None:
                member.joined_before = member.joined_at
            member.joined_at, member.changed = joined, True
            member.rebooked = not member.is_new

    def _fill(self, sighting: Sighting, member: Known) -> None:
        """Fill what the profile does not know yet; only a nickname makes way for a newer one."""
        person = sighting.person
        name = values.without_contacts(person.name.strip())[:100]
        if (
            name
            and name != member.name
            and (not member.name or (not values.is_full_name(member.name) and values.is_full_name(name)))
        ):
            member.name, member.changed = name, True
            self.new_names.append((member.id, name))
        nickname = person.nickname.strip()
        if not nickname:
            nickname = next((c.value for c in sighting.claims if c.key[0] == "nickname"), "")
        nickname = values.without_contacts(nickname)[:100]
        if nickname:
            self._nickname(member, nickname, sighting.last)
        if person.gender and not member.gender:
            member.gender, member.changed = person.gender[:1], True
        if person.birthday is not None and member.birth[1] is None:
            day = person.birthday
            member.birth, member.changed = (day.year or None, day.month, day.day, day.lunar), True
            member.rebooked = not member.is_new
        if person.address is not None and person.address.province and not member.province:
            member.province, member.city = person.address.province[:40], person.address.city[:40]
            member.changed = True
        if person.acquired_by and not member.acquired_by:
            member.acquired_by, member.changed = person.acquired_by[:60], True
        if person.note.strip() and not member.note:
            member.note, member.changed = values.without_contacts(person.note.strip()), True
        if person.store_code and member.home_store_id is None and person.store_code in self.stores:
            member.home_store_id, member.changed = self.stores[person.store_code], True

    def _nickname(self, member: Known, nickname: str, at: datetime) -> None:
        masked = values.is_masked(nickname)
        before = member.nickname_at
        if masked:
            newer = not member.nickname
        elif before is None or at > before:
            newer = True
        else:  # of two seen at the same moment the one that sorts last, so that no order of arrival matters
            newer = at == before and nickname > member.nickname
        if not newer:
            if nickname != member.nickname and not masked:
                self.new_names.append((member.id, nickname))  # a former one finds the member too
            return
        if nickname != member.nickname:
            self.new_names.append((member.id, nickname))
            member.nickname, member.changed = nickname, True
        if not masked and (before is None or at > before):
            member.nickname_at, member.changed = at, True

    def _reach(self, sighting: Sighting, member: Known) -> None:
        for reach in sighting.reaches:
            if reach.virtual and reach.expires_at is not None and reach.expires_at <= self.now:
                continue  # nobody answers there any more
            place = (member.id, reach.kind, reach.blind)
            held = self.contacts.get(place)
            if held is not None:
                if sighting.last > held.last:
                    held.last, held.changed = sighting.last, True
                continue
            held = self.contacts[place] = Held(None, sighting.last, reach)
            held.via = sighting.via
            if reach.kind != "phone":
                continue
            if not reach.real:
                if not member.phone_hint and reach.masked:
                    member.phone_hint, member.changed = values.masked_number(reach.text), True
                continue
            if not member.phone_hint or member.id not in self.with_phone:
                member.phone_hint, member.changed = values.masked_number(reach.text), True
            self.with_phone.add(member.id)
            holders = self.holders.setdefault(reach.blind, [])
            if len(holders) <= SHARED_BY:
                for other in holders:
                    if alike := values.alike(member.name, self.members[other].name):
                        reason = "same_phone" if alike == "same" else "same_number"
                        self._suspect(member, self.members[other], reason)
            holders.append(member.id)


def _rank(claim: Usable, owner: Owner) -> int:
    return VERIFIED_RANK if claim.rank == 1 and claim.verified and owner.verified else claim.rank
