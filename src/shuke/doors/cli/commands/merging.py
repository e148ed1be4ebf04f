"""`shuke members suspicions|apart|merge|unmerge`: two records that may be one person."""

from __future__ import annotations

import click

from shuke.doors.cli.commands.members import command, member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@declared(
    "suspicions",
    _("List pairs of members that may be one person, with the reasons. Nothing merges by itself."),
    "shuke members suspicions\nshuke members suspicions --apart",
    group=command,
)
@click.option("--apart", is_flag=True, help=_("pairs that were told apart"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many"))
def suspicions(desk: Desk, apart: bool, limit: int) -> None:
    from shuke.members import queries

    found = queries.suspicions(desk.merchant, limit, state="different" if apart else "open")
    if desk.as_json:
        desk.json(
            [
                {
                    "one": {"id": str(p.one.pk), "card": p.one.card, "name": str(p.one)},
                    "other": {"id": str(p.other.pk), "card": p.other.card, "name": str(p.other)},
                    "reasons": p.reasons,
                    "noted_at": p.noted_at,
                }
                for p in found
            ]
        )
    elif found:
        desk.table(
            [_("card"), _("name"), _("card"), _("name"), _("reasons")],
            [(p.one.card, str(p.one), p.other.card, str(p.other), "; ".join(map(reason, p.reasons))) for p in found],
        )
    else:
        desk.say(_("No two members look like one person."))


@declared(
    "apart",
    _("Remember that two members are two people; --again takes it back."),
    "shuke members apart 660000000018 660000000026",
    group=command,
)
@click.argument("one", metavar=_("MEMBER"))
@click.argument("other", metavar=_("OTHER"))
@click.option("--again", is_flag=True, help=_("suggest them again"))
def apart(desk: Desk, one: str, other: str, again: bool) -> None:
    from shuke.members import actions

    pair = {"one": member_named(desk, one).pk, "other": member_named(desk, other).pk}
    do = actions.doubt_again if again else actions.tell_apart
    do(merchant=desk.merchant, **pair, now=desk.now, actor=desk.actor)
    if desk.as_json:
        desk.json({key: str(value) for key, value in pair.items()} | {"state": "open" if again else "different"})
    else:
        desk.say(_("The pair is suggested again.") if again else _("Remembered: two people."))


@declared(
    "merge",
    _(
        "Make OTHER part of MEMBER: orders, points, identities, timeline. Look first with --preview; `unmerge` takes it back."
    ),
    "shuke members merge 660000000018 660000000026 --preview\n"
    "shuke members merge 660000000018 660000000026 --reason “same phone, told us” --take name=absorbed",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("other", metavar=_("OTHER"))
@click.option("--reason", default="", help=_("why they are the same person"))
@click.option(
    "--take", "takes", multiple=True, metavar=_("FIELD=SIDE"), help=_("whose value holds: survivor or absorbed")
)
@click.option("--preview", is_flag=True, help=_("only say what would be"))
def merge(desk: Desk, member: str, other: str, reason: str, takes: tuple[str, ...], preview: bool) -> None:
    from shuke.flows import merge_members
    from shuke.members.profiles import UnknownChoice

    one, two = record_named(desk, member), record_named(desk, other)
    take = dict(t.partition("=")[::2] for t in takes)
    try:
        if preview:
            _show(desk, merge_members.preview(
                merchant=desk.merchant, survivor_id=one, absorbed_id=two, take=take, now=desk.now
            ))  # fmt: skip
            return
        done = merge_members.merge(
            merchant=desk.merchant, survivor_id=one, absorbed_id=two, take=take, reason=reason, now=desk.now,
            actor=desk.actor,
        )  # fmt: skip
    except (merge_members.MergeRefused, UnknownChoice) as refused:
        raise Refused(str(refused)) from refused
    if desk.as_json:
        desk.json({"merge": str(done.merge.pk), "orders": done.orders, "replayed": done.replayed})
    elif done.replayed:
        desk.say(_("They were merged before; nothing was done."))
    else:
        desk.say(
            _("Merged; {orders} orders moved. Take it back with: shuke members unmerge {merge}").format(
                orders=done.orders, merge=done.merge.pk
            )
        )


@declared(
    "unmerge",
    _("Take a merge back. MERGE is its number, or either card."),
    "shuke members unmerge 660000000026 --reason “two sisters”",
    group=command,
)
@click.argument("merge", metavar=_("MERGE"))
@click.option("--reason", default="", help=_("why"))
@click.option("--maybe", is_flag=True, help=_("they may be one person after all: suggest them again"))
def unmerge(desk: Desk, merge: str, reason: str, maybe: bool) -> None:
    from shuke.flows import merge_members
    from shuke.members import queries
    from shuke.members.models import Merge

    number = int(merge) if merge.isdecimal() and int(merge) < 1 << 63 else 0
    if not Merge.objects.filter(merchant=desk.merchant, pk=number).exists():
        pk = record_named(desk, merge)
        standing = [m for m in queries.merges_of(desk.merchant, pk) if m.undone_at is None]
        if len(standing) != 1:
            listed = ", ".join(f"{m.pk} ({m.absorbed.card})" for m in standing) or _("none")
            raise Refused(_("Which merge? There is: {listed}.").format(listed=listed))
        number = standing[0].pk
    try:
        done = merge_members.unmerge(
            merchant=desk.merchant, merge_id=number, different=not maybe, reason=reason, now=desk.now, actor=desk.actor
        )
    except merge_members.MergeRefused as refused:
        raise Refused(str(refused)) from refused
    if desk.as_json:
        desk.json({"merge": str(done.merge.pk), "orders": done.orders, "replayed": done.replayed})
    else:
        desk.say(_("They are two again; {orders} orders went back.").format(orders=done.orders))


def record_named(desk: Desk, asked: str) -> int:
    """The record with this card or id itself, merged away or not; else whoever a search finds."""
    from django.db.models import Q

    from shuke.members.models import Member

    wanted = Q(card=asked)
    if asked.isdecimal() and int(asked) < 1 << 63:
        wanted |= Q(pk=int(asked))
    found = Member.objects.filter(wanted, merchant=desk.merchant).values_list("pk", flat=True).first()
    return member_named(desk, asked).pk if found is None else found


def _show(desk: Desk, seen) -> None:
    if desk.as_json:
        desk.json(
            {
                "fields": seen.fields,
                "consents": seen.consents,
                "together": seen.together,
                **{
                    side: {
                        "id": str(half.member.pk), "card": half.member.card, "orders": half.orders,
                        "net_minor": half.net_minor, "identities": half.identities, "contacts": half.contacts,
                        "standing": half.standing,
                    }
                    for side, half in (("survivor", seen.survivor), ("absorbed", seen.absorbed))
                },
            }
        )  # fmt: skip
        return
    said = "zh" if language() == "zh-hans" else "en"
    halves = (seen.survivor, seen.absorbed)
    rows: list[tuple] = [
        (_("card"), *(h.member.card for h in halves), ""),
        (_("orders"), *(h.orders for h in halves), seen.survivor.orders + seen.absorbed.orders),
        (_("spent in all"), *(desk.money(h.net_minor) for h in halves), desk.money(sum(h.net_minor for h in halves))),
    ]
    if seen.together is not None:
        both = [h.standing for h in halves]
        rows += [
            (_("tier"), *(s.tier_name[said] for s in both), seen.together.tier_name[said]),
            (_("points available"), *(s.available for s in both), seen.together.available),
            (_("points pending"), *(s.pending for s in both), seen.together.pending),
            (_("points owed"), *(s.debt for s in both), seen.together.debt),
        ]
    wins = {"survivor": "←", "absorbed": "→", "both": "+", "same": "="}
    rows += [(f.key, _plain(f.survivor), _plain(f.absorbed), wins[f.wins]) for f in seen.fields]
    rows += [(f"{c}/{p}", a, b, holds) for c, p, a, b, holds in seen.consents]
    desk.table(["", _("stays"), _("is merged"), _("together")], rows)


def _plain(value) -> str:
    if value is None:
        return ""
    return ", ".join(str(v) for v in value if v is not None) if isinstance(value, list) else str(value)


def reason(code: str) -> str:
    """Why two records may be one person."""
    return {
        "same_phone": _("The same phone number and the same name"),
        "same_number": _("The same phone number under two accounts"),
        "same_name_address": _("The same name at the same address"),
        "two_matches": _("One order matched both"),
        "other_platform_id": _(
            "One order matched both, but each has an own number on one platform: probably two people"
        ),
        "renamed": _("The same order was seen under two account names"),
        "told": _("Somebody of the shop said so"),
    }.get(code, code)
