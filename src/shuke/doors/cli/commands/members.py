"""`shuke members find|show`: who is this?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language

if TYPE_CHECKING:
    from shuke.members.models import Member, TimelineLine


@click.group("members", help=_("Find and show members. Phone numbers and addresses stay masked."))
def command() -> None:
    """Who is this?"""


def member_named(desk: Desk, asked: str) -> Member:
    """The member with this card or id; else the only one a search for it finds. Says who is meant when there are several."""
    from shuke.members import queries

    try:
        return queries.member_of(desk.merchant.pk, asked)
    except queries.NoSuchMember:
        hits = queries.find(desk.merchant, asked, 6)
        if len(hits) == 1:
            return queries.member_of(desk.merchant.pk, hits[0].member_id)
        if not hits:
            raise
        names = ", ".join(f"{hit.card} {hit.name or hit.nickname}".strip() for hit in hits[:5])
        raise Refused(
            _("“{asked}” may be several members: {names}. Say which by the card number.").format(
                asked=asked, names=names
            )
        ) from None


@declared(
    "find",
    _("Search by four or more digits of a phone, by name, nickname, pinyin or initials, card or order number."),
    "shuke members find 5678\nshuke members find 张小明\nshuke members find zxm",
    group=command,
)
@click.argument("text", nargs=-1, required=True, metavar=_("TEXT"))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help=_("at most so many"))
def find(desk: Desk, text: tuple[str, ...], limit: int) -> int:
    from shuke.flows.search import find as found_for

    hits = found_for(desk.merchant, " ".join(text), limit)
    if desk.as_json:
        desk.json(hits)
    elif hits:
        desk.table(
            [_("card"), _("name"), _("nickname"), _("phone"), _("found by")],
            [(h.card, h.name, h.nickname, h.phone_shown, found_by(h.matched_by)) for h in hits],
        )
    else:
        desk.say(
            _("Nobody fits “{text}”. Four digits of a phone or the beginning of a name are enough.").format(
                text=" ".join(text)
            )
        )
    return 0 if hits else 1


def found_by(code: str) -> str:
    """What the search matched, in the language of the terminal."""
    return {
        "card": _("card"),
        "phone": _("phone"),
        "email": _("e-mail"),
        "platform_id": _("platform number"),
        "name": _("name"),
        "nickname": _("nickname"),
        "former_name": _("former name"),
        "pinyin": _("pinyin"),
        "order": _("order number"),
    }.get(code, code)


def labelled(desk: Desk, attributes: dict[str, Any]) -> list[tuple[str, str]]:
    """Custom attributes by the labels the shop gave them, as the console shows them."""
    from shuke.members import queries

    chinese = language() == "zh-hans"
    labels = {
        one.key: (one.label_zh if chinese else one.label_en)
        for one in (queries.attribute_kinds(desk.merchant) if attributes else ())
    }
    return [(labels.get(key) or key, shown(value)) for key, value in attributes.items()]


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


@declared(
    "show",
    _("Show one member: who this is, tier, points, how they buy, and the latest lines of the timeline."),
    "shuke members show 100000000018",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.option("--lines", default=10, show_default=True, type=click.IntRange(0, 500), help=_("lines of the timeline"))
def show(desk: Desk, member: str, lines: int) -> None:
    from shuke.engine.insight import wording
    from shuke.insight.models import MemberScore
    from shuke.loyalty import queries as loyalty
    from shuke.members import queries

    who = member_named(desk, member)
    now = desk.now
    balance = loyalty.balance(desk.merchant, who.pk, now)
    try:
        why = loyalty.why_tier(desk.merchant, who.pk, now)
        tier: str | None = why.name["zh" if language() == "zh-hans" else "en"]
        tier_key: str | None = why.tier
    except loyalty.NoCharter:
        tier = tier_key = None
    score = MemberScore.objects.filter(merchant=desk.merchant, pk=who.pk).first()
    identities = queries.identities_of(desk.merchant, who.pk)
    timeline = queries.timeline(desk.merchant, who.pk, limit=lines)
    if desk.as_json:
        desk.json(
            {
                "id": str(who.pk),
                "card": who.card,
                "state": who.state,
                "name": who.name,
                "nickname": who.nickname,
                "phone": who.phone_hint,
                "joined_at": who.joined_at,
                "home_store": who.home_store.name if who.home_store else None,
                "attributes": who.attributes,
                "tags": who.tags,
                "tier": tier_key,
                "points": balance,
                "score": score and {f.attname: getattr(score, f.attname) for f in score._meta.local_fields},
                "identities": [(i.kind, i.realm, i.shown) for i in identities],
                "timeline": [
                    {"at": line.at, "kind": line.kind, "ref": line.ref, "body": line.body} for line in timeline
                ],
            }
        )
        return
    said = "zh" if language() == "zh-hans" else "en"
    desk.facts(
        [
            (_("card"), who.card),
            (_("nickname"), who.nickname),
            (_("phone"), who.phone_hint),
            (_("member since"), desk.day(who.joined_at)),
            (_("home store"), who.home_store.name if who.home_store else None),
            (
                _("known as"),
                ", ".join(
                    f"{i.realm or identity(i.kind)}: {i.shown}" for i in identities if i.shown and i.kind != "card"
                ),
            ),
            *labelled(desk, who.attributes),
            (_("tier"), tier),
            (_("points available"), balance.available),
            (_("points pending"), balance.pending or None),
            (_("points owed"), balance.debt or None),
            *(
                [
                    (_("orders"), score.order_count),
                    (_("spent in all"), desk.money(score.net_minor)),
                    (_("spent in a year"), desk.money(score.year_net_minor)),
                    (_("last purchase"), desk.day(score.last_paid_at)),
                    (_("RFM class"), f"{score.rfm} {wording.RFM_NAMES[score.rfm].said(said)}" if score.rfm else None),
                    (_("pyramid layer"), wording.LAYERS[score.layer].said(said) if score.layer else None),
                    (_("stage of life"), wording.STAGES[score.stage].said(said) if score.stage else None),
                ]
                if score
                else []
            ),
        ],
        title=str(who),
    )
    if timeline:
        desk.table(
            [_("when"), _("what"), ""],
            [(desk.minute(line.at), KINDS.get(line.kind, line.kind), about(desk, line)) for line in timeline],
        )


# Every kind written anywhere, titled as the console titles it (console/happenings.py); a test compares.
KINDS = {
    "joined": _("Joined"),
    "woken": _("Recognised again"),
    "order.placed": _("Order placed, not paid"),
    "order.paid": _("Bought"),
    "order.shipped": _("Shipped"),
    "order.finished": _("Order finished"),
    "order.refunded": _("Refund"),
    "order.closed": _("Order closed before payment"),
    "tier.up": _("Tier up"),
    "tier.down": _("Tier down"),
    "tier.renamed": _("Tier called otherwise by a new charter"),
    "tier.at_risk": _("Tier at risk"),
    "points.expired": _("Points expired"),
    "points.given": _("Points handed to another member"),
    "points.received": _("Points received from another member"),
    "cobrand.bound": _("Co-branded card bound"),
    "cobrand.ended": _("Co-branded card unbound"),
    "points.card_partner": _("Points for spending with a co-branded card"),
    "points.card_returned": _("Points taken back: card spending came back"),
    "points.used_elsewhere": _("Points spent at a partner"),
    "points.came_back": _("Points back from a partner"),
    "stored.top_up": _("Stored value topped up"),
    "stored.spent": _("Paid with stored value"),
    "stored.returned": _("Stored value came back"),
    "stored.paid_out": _("Stored value paid out"),
    "stored.adjusted": _("Stored value corrected"),
    "stored.redeemed": _("Gift card redeemed"),
    "stored.lapsed": _("Bonus lapsed"),
    "refund.not_given_back": _("Refund not given back in full"),
    "comment": _("Note"),
    "card.lost": _("Card reported lost"),
    "card.found": _("Card found again"),
    "card.replaced": _("New card"),
    "frozen": _("Frozen"),
    "unfrozen": _("Free again"),
    "merged": _("Merged with another record"),
    "merged.away": _("Merged into another record"),
    "unmerged": _("A merge was taken back"),
    "undone": _("Put away: the import that made this member was undone"),
    "profile.edited": _("Profile changed"),
    "identity.added": _("Account or number added"),
    "contact.added": _("Contact added"),
    "contact.removed": _("Contact removed"),
    "tags.changed": _("Tags changed"),
    "stage.changed": _("Stage of life changed"),
    "import.undone": _("An import with orders of this member was undone"),
    "complaint.opened": _("Complaint"),
    "complaint.reopened": _("Complaint opened again"),
    "complaint.settled": _("Complaint settled"),
    "coupon.issued": _("Coupon received"),
    "coupon.redeemed": _("Coupon redeemed"),
    "coupon.used": _("Coupon used"),
    "benefit.used": _("Benefit handed out"),
    "benefit.handed": _("What went with the points was handed over"),
    "benefit.undone": _("Benefit taken back"),
    "activity.undone": _("Taking part taken back"),
    "gift.ordered": _("Gift set aside"),
    "gift.taken": _("Gift handed over"),
    "gift.cancelled": _("Gift not picked up"),
    "gift.returned": _("Gift came back"),
    "draw.ticket": _("Lucky draw"),
    "draw.handed": _("Prize handed over"),
    "referral.bound": _("Referral"),
    "referral.rewarded": _("Reward for a referral"),
    "referral.returned": _("Reward for a referral taken back"),
    "referral.gift": _("Gift for a referral handed over"),
    "coalition.linked": _("Joined a coalition"),
    "coalition.left": _("Left a coalition"),
}


def about(desk: Desk, line: TimelineLine) -> str:
    """What a line of the timeline says beside its kind: number and money of an order, from where to where, how many."""
    from shuke.engine.insight import wording

    body = line.body or {}
    if line.kind.startswith("order."):
        minor = -body.get("refunded_minor", 0) if line.kind == "order.refunded" else body.get("net_minor", 0)
        return f"{body.get('number', '')}  {desk.money(minor) if minor else ''}".strip()
    if line.kind == "stage.changed":
        spoken = "zh" if language() == "zh-hans" else "en"
        ends = (
            wording.STAGES[code].said(spoken) if code in wording.STAGES else "–"
            for code in (body.get("before"), body.get("after"))
        )
        return " → ".join(ends)
    if line.kind.startswith("stored."):
        return (
            f"{desk.money(body.get('principal_minor', 0) + body.get('bonus_minor', 0))}  {body.get('by', '')}".strip()
        )
    if line.kind == "refund.not_given_back":
        return f"{body['number']}  {_plain(body['why'])}"
    if "before" in body and "after" in body:
        return f"{body['before'] or '–'} → {body['after']}"
    return " · ".join(text for value in body.values() if value and (text := _plain(value)))


def _plain(value: object) -> str:
    """A figure, a word, a name kept in both languages, or a list of words."""
    if isinstance(value, dict):
        return str(value.get("zh" if language() == "zh-hans" else "en", ""))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def identity(kind: str) -> str:
    """By what somebody is known, where it is not an account of a platform."""
    return {"phone": _("phone"), "email": _("e-mail"), "nickname": _("nickname")}.get(kind, kind)
