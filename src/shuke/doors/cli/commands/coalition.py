"""`shuke coalition …`: partners and prices, linked members, spends across merchants, closing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from shuke.doors.cli.commands.moving import KEY, POINTS
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


class Group(click.Group):
    """Refusals of a coalition in the language of the terminal, whichever command met them."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if hasattr(error, "say") and hasattr(error, "details"):
                raise Refused(error.say(language())) from error
            raise


@click.group("coalition", cls=Group, help=_("Coalition points: partners, prices, linked members, spends, settlement."))
def command() -> None:
    """Coalition."""


def seat_of(desk: Desk) -> Any:
    """The newest coalition this merchant takes part in, or is asked into."""
    from shuke.loyalty.actions.coalition import CoalitionRefused
    from shuke.loyalty.queries import coalition as stored

    seats = sorted(stored.places(desk.merchant), key=lambda one: one.state not in ("in", "invited"))
    if not seats:
        raise CoalitionRefused("no_coalition", merchant=desk.merchant.name)
    return seats[0]


def _partner(name: str) -> Any:
    from shuke.shops import queries

    return queries.merchant_by_name(name)


def micro_of(text: str, desk: Desk) -> int:
    """“0.005” yuan a point → millionths of a fen."""
    from decimal import Decimal, InvalidOperation

    from shuke.kit.money import digits
    from shuke.loyalty.actions.coalition import CoalitionRefused

    try:
        micro = Decimal(text).scaleb(digits(desk.merchant.currency) + 6)
    except InvalidOperation as error:
        raise CoalitionRefused("price_invalid", told=text) from error
    if not micro.is_finite() or micro != micro.to_integral_value() or micro < 0:
        raise CoalitionRefused("price_invalid", told=text)
    return int(micro)


def prices(function: Any) -> Any:
    """The options that say what a partner pays and gets."""
    options = (
        click.option("--issue", required=True, metavar=_("PRICE"), help=_("money it pays per point its members get: 0.005")),
        click.option("--redeem", required=True, metavar=_("PRICE"), help=_("money it gets per point burnt at its till: 0.004")),
        click.option("--prepaid", is_flag=True, help=_("pays in advance by packs; without: after each closing")),
        click.option("--warn-below", default=0, type=click.IntRange(0), help=_("warn when a pack has fewer points left")),
        click.option("--limit", "limit", type=click.IntRange(0), help=_("the most it may owe, in minor units; beyond, its points are good at its own till only")),
        click.option("--most-per-day", type=click.IntRange(1), help=_("points of one member a day at its till")),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _prices(desk: Desk, since: datetime, told: dict[str, Any]) -> Any:
    from shuke.engine.coalition.prices import Prices

    return Prices(
        since,
        micro_of(told["issue"], desk),
        micro_of(told["redeem"], desk),
        told["prepaid"],
        told["warn_below"],
        told["limit"],
        told["most_per_day"],
    )


def price(micro: int, desk: Desk) -> str:
    from decimal import Decimal

    from shuke.kit.money import digits

    plain = Decimal(micro).scaleb(-6 - digits(desk.merchant.currency)).normalize()
    return f"{plain:f}"


@declared("show", _("Partners, prices, packs, and what wants attention."), "shuke coalition show", group=command)
def show(desk: Desk) -> None:
    from shuke.flows import coalition as flow

    seat = seat_of(desk)
    told = flow.overview(desk.merchant, seat, desk.now)
    if desk.as_json:
        desk.json(
            {
                "id": str(seat.coalition_id),
                "name": seat.coalition.name,
                "state": seat.state,
                "founder": seat.coalition.merchant.name,
                "closable_until": told.closable_until,
                "warnings": [{"code": code, "partner": name} for code, name in told.warnings],
                "partners": [
                    {
                        "id": str(one.partner.merchant_id),
                        "name": one.partner.merchant.name,
                        "state": one.partner.state,
                        "prices": one.prices,
                        "pack": one.pack,
                        "members": one.members,
                    }
                    for one in told.seats
                ],
            }
        )
        return
    desk.table(
        [
            _("partner"),
            _("state"),
            _("price of issue"),
            _("price of redemption"),
            _("pack left"),
            _("owes"),
            _("members"),
        ],
        [
            (
                one.partner.merchant.name,
                state(one.partner.state),
                price(one.prices.issue_micro, desk) if one.prices else "",
                price(one.prices.redeem_micro, desk) if one.prices else "",
                one.pack.left_points if one.pack and one.prices and one.prices.prepaid else "",
                desk.money(one.pack.owed_minor) if one.pack else "",
                one.members,
            )
            for one in told.seats
        ],
        title=seat.coalition.name,
        right=(2, 3, 4, 5, 6),
    )
    for code, name in told.warnings:
        click.echo(warning(code, name))


def state(code: str) -> str:
    return {"in": _("in"), "invited": _("invited"), "left": _("left"), "declined": _("declined")}.get(code, code)


def warning(code: str, name: str) -> str:
    if code == "low_pack":
        return _("{name}: the prepaid pack is running out.").format(name=name)
    return _("{name} owes more than it may: its points are good at its own till only.").format(name=name)


@declared(
    "found",
    _("Begin a coalition. You keep its pool and close its periods."),
    "shuke coalition found 'High Street' --issue 0.005 --redeem 0.004",
    group=command,
)
@click.argument("name", metavar=_("NAME"))
@click.option("--notice-days", default=30, show_default=True, type=click.IntRange(0, 730), help=_("how long before leaving a partner says so"))  # fmt: skip
@prices
def found(desk: Desk, name: str, notice_days: int, **told: Any) -> None:
    from shuke.loyalty.actions import coalition

    made = coalition.found(
        merchant=desk.merchant,
        name=name,
        prices=_prices(desk, desk.now, told),
        notice_days=notice_days,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"id": str(made.pk), "name": made.name})
    desk.say(_("{name} has begun. Invite partners: shuke coalition invite MERCHANT …").format(name=made.name))


@declared(
    "invite",
    _("Ask another merchant of this installation in, at these prices."),
    "shuke coalition invite 明德母婴 --issue 0.005 --redeem 0.004 --prepaid --warn-below 10000",
    group=command,
)
@click.argument("partner", metavar=_("MERCHANT"))
@prices
def invite(desk: Desk, partner: str, **told: Any) -> None:
    from shuke.loyalty.actions import coalition

    other = _partner(partner)
    seat = coalition.invite(
        merchant=desk.merchant,
        coalition_id=seat_of(desk).coalition_id,
        partner=other,
        prices=_prices(desk, desk.now, told),
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"partner": other.name, "state": seat.state})
    desk.say(_("{name} is invited.").format(name=other.name))


@declared(
    "accept", _("Accept an invitation and its prices."), "shuke coalition accept --merchant 明德母婴", group=command
)
@click.option("--decline", is_flag=True, help=_("stay out instead"))
def accept(desk: Desk, decline: bool) -> None:
    from shuke.loyalty.actions import coalition

    seat = seat_of(desk)
    told: dict[str, Any] = {
        "merchant": desk.merchant, "coalition_id": seat.coalition_id, "now": desk.now, "actor": desk.actor,
    }  # fmt: skip
    (coalition.decline if decline else coalition.accept)(**told)
    if desk.as_json:
        desk.json({"coalition": seat.coalition.name, "state": "declined" if decline else "in"})
    desk.say((_("Declined: {name}.") if decline else _("Joined: {name}.")).format(name=seat.coalition.name))


@declared(
    "prices",
    _("Propose new prices to a partner from a day on; they hold when the partner agrees (your own at once)."),
    "shuke coalition prices 明德母婴 --issue 0.006 --redeem 0.005 --from 2026-07-01",
    group=command,
)
@click.argument("partner", metavar=_("MERCHANT"))
@click.option("--from", "since", type=DAY, help=_("first day; default: at once"))
@prices
def propose(desk: Desk, partner: str, since: datetime | None, **told: Any) -> None:
    from shuke.kit.clock import day_start
    from shuke.loyalty.actions import coalition

    begin = day_start(since.date(), desk.merchant.tz) if since else desk.now
    terms = coalition.propose(
        merchant=desk.merchant,
        coalition_id=seat_of(desk).coalition_id,
        partner=_partner(partner),
        prices=_prices(desk, begin, told),
        now=begin if since is None else desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"version": terms.version, "from": terms.effective_from, "agreed": terms.agreed_at is not None})
    desk.say(_("Version {version} is proposed.").format(version=terms.version))


@declared("agree", _("Agree to proposed prices."), "shuke coalition agree 2 --merchant 明德母婴", group=command)
@click.argument("version", metavar=_("VERSION"), type=click.IntRange(1))
def agree(desk: Desk, version: int) -> None:
    from shuke.loyalty.actions import coalition

    terms = coalition.agree(
        merchant=desk.merchant,
        coalition_id=seat_of(desk).coalition_id,
        version=version,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"version": terms.version, "from": terms.effective_from})
    desk.say(_("Agreed; it holds from {day}.").format(day=desk.day(terms.effective_from)))


@declared(
    "quit",
    _("Leave the coalition after its notice; the founder can send a partner away, or end it with --end."),
    "shuke coalition quit --on 2026-09-01 --reason 'moving away'\nshuke coalition quit --end --on 2027-01-01",
    group=command,
)
@click.option("--on", "day", required=True, type=DAY, help=_("first day without"))
@click.option("--partner", default="", metavar=_("MERCHANT"), help=_("the founder only: who has to go"))
@click.option("--reason", default="", metavar=_("TEXT"), help=_("why"))
@click.option("--end", is_flag=True, help=_("the founder only: end the whole coalition"))
def quit_(desk: Desk, day: datetime, partner: str, reason: str, end: bool) -> None:
    from shuke.kit.clock import day_start
    from shuke.loyalty.actions import coalition

    at = day_start(day.date(), desk.merchant.tz)
    told: dict[str, Any] = {
        "merchant": desk.merchant, "coalition_id": seat_of(desk).coalition_id, "at": at, "now": desk.now, "actor": desk.actor,
    }  # fmt: skip
    if end:
        coalition.end(**told)
    else:
        coalition.leave(partner=_partner(partner) if partner else desk.merchant, because=reason, **told)
    if desk.as_json:
        desk.json({"on": at})
    desk.say(_("Noted. Until {day} everything goes on as it is.").format(day=desk.day(at)))


@declared(
    "pack",
    _("Book that a partner paid for points in advance, at its price of issue (the founder only)."),
    "shuke coalition pack 明德母婴 100000 --key invoice-118",
    group=command,
)
@click.argument("partner", metavar=_("MERCHANT"))
@click.argument("points", metavar=_("POINTS"), type=POINTS)
@KEY
def pack(desk: Desk, partner: str, points: int, key: str) -> None:
    from shuke.loyalty.actions import coalition

    other = _partner(partner)
    made = coalition.buy_pack(
        merchant=desk.merchant,
        coalition_id=seat_of(desk).coalition_id,
        partner=other,
        key=key,
        points=points,
        now=desk.now,
        actor=desk.actor,
    )
    if desk.as_json:
        desk.json({"partner": other.name, "points": made.points, "paid_minor": made.paid_minor})
    desk.say(
        _("{name}: {points} points for {money}.").format(
            name=other.name, points=f"{made.points:,}", money=desk.money(made.paid_minor)
        )
    )
