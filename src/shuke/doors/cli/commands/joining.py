"""`shuke members add|set`: somebody joins, or tells more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from shuke.doors.cli.commands.members import command, member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _

TEXTS = ("name", "nickname", "gender", "province", "city", "occupation", "income_band", "acquired_by", "note")


def told(make: Callable) -> Callable:
    """The options that say something about a person."""
    options = [
        *(click.option(f"--{key.replace('_', '-')}", key) for key in TEXTS),
        click.option("--birthday", metavar="[YYYY-]MM-DD[L]", help=_("with an L at the end: by the lunar calendar")),
        click.option("--phone", "phones", multiple=True, help=_("may be said several times")),
        click.option("--email", default=""),
        click.option("--address", default="", help=_("street and number")),
        click.option("--account", "accounts", multiple=True, metavar="PLATFORM:NAME"),
        click.option("--tag", "tags", multiple=True),
        click.option("--attribute", "attributes", multiple=True, metavar="KEY=VALUE"),
        click.option(
            "--day", "days", multiple=True, metavar="KIND:[YYYY-]MM-DD[L][:NAME]", help=_("wedding, child or other")
        ),
        click.option("--store", help=_("code of the home store")),
        click.option("--served-by", help=_("user name of the person who looks after them")),
        click.option("--referred-by", help=_("card or code of the member who brought them")),
        click.option("--cost", type=int, help=_("what winning them cost, in fen or cents")),
        click.option("--consent", "consents", multiple=True, metavar="CHANNEL:PURPOSE=yes|no"),
        click.option("--wording", default="", help=_("version of the text agreed to")),
        click.option("--evidence", default="", help=_("proof of the consent")),
    ]
    for option in reversed(options):
        make = option(make)
    return make


@declared(
    "add",
    _(
        "Make a new member with all that is told. A phone that is known is refused; --anyway for a family that shares one."
    ),
    "shuke members add --name 张小明 --phone 13812345678 --birthday 08-15L --consent sms:care=yes",
    group=command,
)
@told
@click.option("--anyway", is_flag=True, help=_("the phone is shared: make a new member all the same"))
def add(desk: Desk, anyway: bool, **options: Any) -> None:
    from shuke.flows.join import join

    said = _said(desk, options)
    if not (said.profile or said.phones or said.email or said.nicknames):
        raise Refused(_("Say at least a name, a phone, an e-mail or an account."))
    done = join(merchant=desk.merchant, said=said, anyway=anyway, source="cli", now=desk.now, actor=desk.actor)
    _answer(desk, done.member)


@declared(
    "set",
    _("Change what is known of a member. Only what is said is changed; an empty text empties it."),
    "shuke members set 660000000018 --occupation 教师 --tag vip",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@told
def set_(desk: Desk, member: str, **options: Any) -> None:
    from shuke.flows.join import tell

    who = member_named(desk, member)
    said = _said(desk, options)
    done = tell(
        merchant=desk.merchant, member_id=who.pk, said=said, source="cli", now=desk.now, actor=desk.actor
    )  # fmt: skip
    _answer(desk, done)


def _answer(desk: Desk, who: Any) -> None:
    if desk.as_json:
        desk.json({"id": str(who.pk), "card": who.card, "name": who.name})
    else:
        desk.say(_("Card {card}: {name}").format(card=who.card, name=who))


def _said(desk: Desk, options: dict[str, Any]) -> Any:
    from shuke.engine.facts import Address, Birthday
    from shuke.flows.join import Day, Said
    from shuke.shops import queries as shops

    profile: dict[str, Any] = {key: options[key] for key in TEXTS if options[key] is not None}
    if options["birthday"] is not None:
        year, month, day, lunar = _day(options["birthday"]) if options["birthday"] else (0, 0, 0, False)
        profile["birthday"] = Birthday(year, month, day, lunar) if month else None
    if options["cost"] is not None:
        profile["acquisition_cost_minor"] = options["cost"]
    if code := options["store"]:
        store = next((s for s in shops.stores(desk.merchant) if s.code == code), None)
        if store is None:
            raise Refused(_("There is no store with the code {code}.").format(code=code))
        profile["home_store"] = store.pk
    if name := options["served_by"]:
        staff = shops.staff_by_username(desk.merchant, name)
        if staff is None:
            raise Refused(_("Nobody of the staff has the user name {name}.").format(name=name))
        profile["served_by"] = staff.pk
    if options["referred_by"]:
        from shuke.engine.referral import codes
        from shuke.loyalty.queries.referral import by_code

        code = codes.read(options["referred_by"])
        friend = by_code(desk.merchant, code) if code else None
        profile["referred_by"] = friend.member_id if friend else member_named(desk, options["referred_by"]).pk
    days = []
    for text in options["days"]:
        kind, _sep, rest = text.partition(":")
        on, _sep, name = rest.partition(":")
        year, month, day, lunar = _day(on)
        days.append(Day(kind, name, year, month, day, lunar))
    consents = []
    for text in options["consents"]:
        found = re.fullmatch(r"(\w+):(\w+)=(yes|no)", text)
        if not found:
            raise Refused(_("A consent is written CHANNEL:PURPOSE=yes, not {text}.").format(text=text))
        consents.append((found[1], found[2], found[3] == "yes"))
    address = (
        Address(options["address"], options["province"] or "", options["city"] or "") if options["address"] else None
    )
    return Said(
        profile=profile,
        phones=options["phones"],
        email=options["email"],
        addresses=[address] if address else [],
        nicknames=[tuple(a.split(":", 1)) for a in options["accounts"] if ":" in a],
        attributes={k: v or None for k, _eq, v in (a.partition("=") for a in options["attributes"])},
        tags=options["tags"],
        days=days or None,
        consents=consents,
        wording=options["wording"],
        evidence=options["evidence"],
    )


def _day(text: str) -> tuple[int, int, int, bool]:
    found = re.fullmatch(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})(L?)", text)
    if not found:
        raise Refused(
            _("A day is written 1990-08-15 or 08-15, with an L for the lunar calendar, not {text}.").format(text=text)
        )
    return int(found[1] or 0), int(found[2]), int(found[3]), bool(found[4])
