"""Members over the wire: they join, tell more, lose a card, are frozen and set free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from shuke.doors.api.deeds import REFUSED, KeyHeader, OwnKey, Reason, desk, once, store_of, till
from shuke.doors.api.shapes import Body, HitOut, MemberOut, Refusal
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Request
from shuke.engine.facts import Address, Birthday
from shuke.engine.referral import codes
from shuke.flows import join as flow
from shuke.flows import search
from shuke.flows.join import Day, Said
from shuke.insight.queries import value_told
from shuke.kit import refusal
from shuke.loyalty import queries as loyalty
from shuke.loyalty.actions import KeyReused
from shuke.loyalty.actions.referral import ReferralRefused
from shuke.loyalty.queries.referral import by_code
from shuke.members import actions
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops.models import Merchant
from shuke.shops.queries import now as shop_now

router = Router(tags=["members"])
DAY = r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])L?$"
DayText = Annotated[
    str, Field(pattern=DAY, description="1990-08-15 or 08-15; with an L at the end by the lunar calendar")
]


class DayIn(Body):
    kind: Annotated[str, Field(pattern="^(wedding|child|other)$")]
    day: DayText
    name: Annotated[str, Field(max_length=40)] = ""


class AccountIn(Body):
    platform: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[a-z0-9_]+$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]


class ConsentIn(Body):
    channel: Annotated[str, Field(min_length=1, max_length=20, description="sms, email, wecom, phone …")]
    purpose: Annotated[str, Field(min_length=1, max_length=20, description="care, marketing, service …")]
    granted: bool


class TellIn(Body):
    """What is told of a member. Only what is there is changed; an empty text empties a field."""

    name: Annotated[str, Field(max_length=100)] | None = None
    nickname: Annotated[str, Field(max_length=100)] | None = None
    gender: Annotated[str, Field(pattern="^[fm]?$")] | None = None
    birthday: DayText | Annotated[str, Field(max_length=0)] | None = None
    province: Annotated[str, Field(max_length=40)] | None = None
    city: Annotated[str, Field(max_length=40)] | None = None
    occupation: Annotated[str, Field(max_length=60)] | None = None
    note: Annotated[str, Field(max_length=2000)] | None = None
    acquired_by: Annotated[str, Field(max_length=60, description="mini_program, leaflet …")] | None = None
    store: Annotated[str, Field(max_length=60, description="code of the home store")] | None = None
    phones: Annotated[list[Annotated[str, Field(min_length=3, max_length=30)]], Field(max_length=10)] = []
    email: Annotated[str, Field(max_length=200)] = ""
    address: Annotated[
        str, Field(max_length=200, description="street and number; province and city stand beside it")
    ] = ""
    accounts: Annotated[list[AccountIn], Field(max_length=20)] = []
    attributes: Annotated[dict[str, Any], Field(max_length=50)] = {}
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=30)]], Field(max_length=50)] = []
    days: Annotated[list[DayIn], Field(max_length=20, description="special days, all of them")] | None = None
    consents: Annotated[list[ConsentIn], Field(max_length=20)] = []
    wording: Annotated[str, Field(max_length=40, description="version of the text agreed to")] = ""
    evidence: Annotated[str, Field(max_length=200, description="proof of the consent")] = ""

    def said(self, merchant: Merchant) -> Said:
        """Raises NoStore."""
        texts = ("name", "nickname", "gender", "province", "city", "occupation", "note", "acquired_by")
        profile: dict[str, Any] = {key: told for key in texts if (told := getattr(self, key)) is not None}
        if self.birthday is not None:
            profile["birthday"] = Birthday(*_day(self.birthday)) if self.birthday else None
        if self.store is not None:
            home = store_of(merchant, self.store)
            profile["home_store"] = home.pk if home else None
        return Said(
            profile=profile,
            phones=self.phones,
            email=self.email,
            addresses=[Address(self.address, self.province or "", self.city or "")] if self.address else [],
            nicknames=[(one.platform, one.name) for one in self.accounts],
            attributes=self.attributes,
            tags=self.tags,
            days=None if self.days is None else [Day(one.kind, one.name, *_day(one.day)) for one in self.days],
            consents=[(one.channel, one.purpose, one.granted) for one in self.consents],
            wording=self.wording,
            evidence=self.evidence,
        )


def _day(text: str) -> tuple[int, int, int, bool]:
    parts = text.removesuffix("L").split("-")
    return int(parts[-3]) if len(parts) == 3 else 0, int(parts[-2]), int(parts[-1]), text.endswith("L")


class JoinIn(TellIn):
    code: Annotated[str, Field(max_length=40, description="of the member who brought them")] = ""
    shared_phone: bool = Field(False, description="the phone is a family's: a new member all the same")
    key: OwnKey = ""


class JoinedOut(Schema):
    id: str
    card: str
    name: str
    phone: str = Field(description="masked")
    joined_at: datetime
    frozen: str = Field(description="why the member is frozen; empty: free")
    replayed: bool = False


class WhyIn(Body):
    reason: Reason


class MaybeWhyIn(Body):
    reason: Annotated[str, Field(max_length=200)] = ""


ANSWERS: Any = {200: JoinedOut, **REFUSED}


def _out(who: Member, replayed: bool = False) -> JoinedOut:
    return JoinedOut(
        id=str(who.pk), card=who.card, name=who.name, phone=who.phone_hint, joined_at=who.joined_at,
        frozen=who.frozen_because if who.frozen_at else "", replayed=replayed,
    )  # fmt: skip


@router.get("/members", response={200: list[HitOut], 400: Refusal})
def find(request: Request, q: str = Query(..., min_length=1, max_length=100), limit: int = Query(20, ge=1, le=100)):  # type: ignore[no-untyped-def]
    """Members by 4+ digits of a phone, name, nickname, pinyin, card or order number, best first."""
    return [
        HitOut(
            id=str(hit.member_id),
            card=hit.card,
            name=hit.name,
            nickname=hit.nickname,
            phone=hit.phone_shown,
            matched_by=hit.matched_by,
        )
        for hit in search.find(request.auth.merchant, q, limit)
    ]


@router.get("/members/{card}", response={200: MemberOut, 404: Refusal})
def member(request: Request, card: str) -> MemberOut:
    """One member by card or id. Somebody merged away is answered with the member they live on in."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    now = shop_now(merchant)
    try:
        tier: str | None = loyalty.why_tier(merchant, who.pk, now).tier
    except loyalty.NoCharter:
        tier = None
    return MemberOut(
        id=str(who.pk),
        card=who.card,
        name=who.name,
        nickname=who.nickname,
        phone=who.phone_hint,
        joined_at=who.joined_at,
        tier=tier,
        points_available=loyalty.balance(merchant, who.pk, now).available,
        tags=who.tags,
        attributes=who.attributes,
        value=value_told.one(merchant, who.pk, language(request)),  # type: ignore[arg-type] # ninja reads it into the shape
    )


@router.post("/members", response=ANSWERS)
def join(request: Request, told: JoinIn, idempotency_key: KeyHeader = "") -> Any:
    """Somebody joins with all that is told, or nothing is done. A phone that is known is refused: 409 `phone_known`."""
    call = till(request)
    merchant = call.merchant
    said = told.said(merchant)
    if told.code:
        read = codes.read(told.code)
        brought = by_code(merchant, read) if read else None
        if brought is None:
            raise ReferralRefused("no_such_code")
        said = said._replace(code=brought)
    if not (said.profile or said.phones or said.email or said.nicknames):
        raise NothingTold("nothing_told")

    def do() -> dict[str, Any]:
        done = flow.join(
            merchant=merchant, said=said, anyway=told.shared_phone, source="api", now=call.now, actor=call.actor
        )
        return {"member": str(done.member.pk)}  # who it is, and nothing of what they told: that can be erased

    key = told.key or idempotency_key
    answer, replayed = once(call, key, ["join"], do)
    who = members.member_of(merchant.pk, answer["member"])
    if replayed and not _is(who, merchant, told.phones):
        raise KeyReused(key)
    return _out(who, replayed)


def _is(who: Member, merchant: Merchant, phones: Sequence[str]) -> bool:
    """Whether all of these phones are this member's: under a key no numbers are kept to compare with."""
    return all(who.pk in {one.pk for one in flow.holders_of(merchant, number)} for number in phones)


@router.post("/members/{card}", response=ANSWERS)
def tell(request: Request, card: str, told: TellIn) -> Any:
    """Change what is known of a member, all of it or nothing. Sent again it changes nothing."""
    call = till(request)
    who = members.member_of(call.merchant.pk, card)
    return _out(
        flow.tell(
            merchant=call.merchant, member_id=who.pk, said=told.said(call.merchant), source="api", now=call.now,
            actor=call.actor,
        )
    )  # fmt: skip


@router.post("/members/{card}/freeze", response=ANSWERS)
def freeze(request: Request, card: str, told: WhyIn) -> Any:
    """Points can be neither spent nor set aside, until the member is set free."""
    return _held(request, card, told.reason, actions.freeze)


@router.post("/members/{card}/unfreeze", response=ANSWERS)
def unfreeze(request: Request, card: str, told: MaybeWhyIn | None = None) -> Any:
    """Set a frozen member free."""
    return _held(request, card, told.reason if told else "", actions.unfreeze)


def _held(request: Request, card: str, reason: str, deed: Any) -> JoinedOut:
    call = desk(request)
    who = members.member_of(call.merchant.pk, card)
    deed(merchant=call.merchant, member_ids=[who.pk], reason=reason, now=call.now, actor=call.actor)
    return _out(members.member_of(call.merchant.pk, card))


@router.post("/members/{card}/card/lost", response=ANSWERS)
def lost(request: Request, card: str, told: MaybeWhyIn | None = None) -> Any:
    """The card is lost: its member is frozen until it is found or replaced."""
    call = till(request)
    who = members.member_of(call.merchant.pk, card)
    actions.report_lost(
        merchant=call.merchant, member_id=who.pk, reason=told.reason if told else "", now=call.now, actor=call.actor
    )
    return _out(members.member_of(call.merchant.pk, card))


@router.post("/members/{card}/card/found", response=ANSWERS)
def found(request: Request, card: str) -> Any:
    """A card that was lost is there again."""
    call = till(request)
    who = members.member_of(call.merchant.pk, card)
    actions.found_again(merchant=call.merchant, member_id=who.pk, now=call.now, actor=call.actor)
    return _out(members.member_of(call.merchant.pk, card))


class ReplaceIn(MaybeWhyIn):
    key: OwnKey = ""


@router.post("/members/{card}/card/replace", response=ANSWERS)
def replace(request: Request, card: str, told: ReplaceIn | None = None, idempotency_key: KeyHeader = "") -> Any:
    """Another card, and a number of its own; the old number still finds the member. With a key one card, however often."""
    call = till(request)
    merchant, asked = call.merchant, told or ReplaceIn()
    who = members.member_of(merchant.pk, card)

    def do() -> dict[str, Any]:
        actions.replace_card(merchant=merchant, member_id=who.pk, reason=asked.reason, now=call.now, actor=call.actor)
        return {"member": str(who.pk)}

    _, replayed = once(call, asked.key or idempotency_key, ["replace", who.asked_as, asked.reason], do)
    return _out(members.member_of(merchant.pk, str(who.pk)), replayed)


class NothingTold(refusal.Refusal):
    sentences = {
        "nothing_told": (
            "Say at least a name, a phone, an e-mail or an account.",
            "请至少填写姓名、手机号、邮箱或平台账号之一。",
        )
    }
