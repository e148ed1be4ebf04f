"""`shuke gifts …`: the catalogue, its stock, orders and what became of them."""

from __future__ import annotations

from typing import Any

import click

from shuke.doors.cli.commands.benefits import fresh_key, store_named
from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@click.group("gifts", help=_("Gifts for points: the catalogue, its stock, orders and what became of them."))
def command() -> None:
    """Gifts."""


def name_of(gift: Any) -> str:
    return gift.name_zh if language().startswith("zh") else gift.name_en


@declared(
    "list",
    _("The catalogue: prices, stock, what was handed over, what waits; for donations what was given to whom."),
    "shuke gifts list",
    group=command,
)
def list_(desk: Desk) -> None:
    from shuke.loyalty.queries import gifts

    told = gifts.totals(desk.merchant)
    if desk.as_json:
        desk.json(
            [
                {"code": t.gift.code, "kind": t.gift.kind, "name": {"zh": t.gift.name_zh, "en": t.gift.name_en},
                 "points": t.gift.points, "cash_minor": t.gift.cash_minor, "stock": t.gift.stock, "active": t.gift.active,
                 "done": t.done, "waiting": t.waiting, "points_spent": t.points, "cost_minor": t.cost_minor, "members": t.members}
                for t in told
            ]
        )  # fmt: skip
        return
    desk.table(
        [
            _("code"),
            _("gift"),
            _("points"),
            _("and money"),
            _("stock"),
            _("waiting"),
            _("done"),
            _("points spent"),
            _("cost"),
        ],
        [
            (
                t.gift.code + ("" if t.gift.active else f" ({_('off')})"),
                name_of(t.gift),
                t.gift.points,
                desk.money(t.gift.cash_minor) if t.gift.cash_minor else "",
                "∞" if t.gift.stock is None else t.gift.stock,
                t.waiting,
                t.done,
                t.points,
                desk.money(t.cost_minor),
            )
            for t in told
        ],
        right=(2, 3, 4, 5, 6, 7, 8),
    )


@declared(
    "save",
    _("Make a gift, or change what is told. What was ordered keeps its price."),
    "shuke gifts save mug --zh 马克杯 --en Mug --points 300 --stock 50\n"
    "shuke gifts save school --kind donation --zh 捐赠 --en Donation --about-zh 山区图书 --about-en 'Village books' --points 100",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
@click.option("--kind", type=click.Choice(["goods", "donation", "coupon"]), help=_("what it is"))
@click.option("--zh", "name_zh", metavar=_("NAME"), help=_("its Chinese name"))
@click.option("--en", "name_en", metavar=_("NAME"), help=_("its English name"))
@click.option("--about-zh", metavar=_("TEXT"), help=_("a line about it, in Chinese"))
@click.option("--about-en", metavar=_("TEXT"), help=_("a line about it, in English"))
@click.option("--points", type=int, help=_("what it takes in points"))
@click.option("--cash", metavar=_("MONEY"), help=_("and in money"))
@click.option("--cost", metavar=_("MONEY"), help=_("what one costs the shop"))
@click.option("--stock", type=int, help=_("pieces there are, of a new gift; without it there is no limit"))
@click.option("--per-member", type=int, help=_("at most so many for each member; 0: no limit"))
@click.option("--tiers", metavar=_("KEYS"), help=_("only for these tiers, by commas; empty: for all"))
@click.option("--coupon", metavar=_("KEY"), help=_("coupon template that a coupon gift issues"))
@click.option("--hold-days", type=click.IntRange(0, 90), help=_("so many days an order waits"))
@click.option("--ship/--no-ship", default=None, help=_("whether it can be sent"))
@click.option("--on/--off", "active", default=None, help=_("whether it is offered"))
def save(desk: Desk, code: str, cash: str | None, cost: str | None, tiers: str | None, **told: Any) -> None:
    from shuke.kit import money
    from shuke.loyalty.actions import gifts

    values = {k: v for k, v in told.items() if v is not None}
    if values.get("per_member") == 0:
        values["per_member"] = None
    for field, text in (("cash_minor", cash), ("cost_minor", cost)):
        if text is not None:
            try:
                values[field] = money.parse(text, desk.merchant.currency)
            except money.NotMoney as error:
                raise click.UsageError(_("{text} is no amount of money.").format(text=text)) from error
    if tiers is not None:
        values["tiers"] = [t.strip() for t in tiers.split(",") if t.strip()]
    try:
        row = gifts.save_gift(merchant=desk.merchant, code=code, values=values, now=desk.now, actor=desk.actor)
    except gifts.GiftWrong as error:
        raise Refused(error.say(language())) from error
    if desk.as_json:
        desk.json({"code": row.code, "points": row.points, "stock": row.stock, "active": row.active})
    else:
        desk.say(_("Saved: {gift}.").format(gift=name_of(row)))


@declared(
    "stock",
    _("Pieces that came in; with --correct what is more or less than was thought."),
    "shuke gifts stock mug 24\nshuke gifts stock mug --correct -- -2",
    group=command,
)
@click.argument("code", metavar=_("CODE"))
@click.argument("amount", type=int, metavar=_("PIECES"))
@click.option("--correct", is_flag=True, help=_("a correction, may be below 0"))
@click.option("--because", default="", metavar=_("TEXT"), help=_("why"))
def stock(desk: Desk, code: str, amount: int, correct: bool, because: str) -> None:
    from shuke.loyalty.actions import gifts

    try:
        row = gifts.add_stock(
            merchant=desk.merchant, code=code, amount=amount, corrected=correct, remark=because, now=desk.now, actor=desk.actor
        )  # fmt: skip
    except gifts.GiftWrong as error:
        raise Refused(error.say(language())) from error
    desk.json({"code": code, "stock": row.stock}) if desk.as_json else desk.say(
        _("{gift}: {count} pieces.").format(gift=name_of(row), count=row.stock)
    )


@declared(
    "take",
    _(
        "Exchange a member's points for a gift: handed over now, or set aside with --hold. The same key gives the same answer."
    ),
    "shuke gifts take 100000000018 mug\nshuke gifts take 100000000018 mug --count 2 --hold --key web-4711",
    group=command,
)
@click.argument("member", metavar=_("MEMBER"))
@click.argument("gift", metavar=_("GIFT"))
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 1000), help=_("pieces"))
@click.option("--hold", is_flag=True, help=_("set aside, to be picked up"))
@click.option("--ship", is_flag=True, help=_("set aside, to be sent"))
@click.option("--key", metavar=_("KEY"), help=_("your own name for this request"))
@click.option("--store", metavar=_("CODE"), help=_("where"))
def take(
    desk: Desk, member: str, gift: str, count: int, hold: bool, ship: bool, key: str | None, store: str | None
) -> None:
    from shuke.loyalty.actions import gifts

    told = gifts.order(
        merchant=desk.merchant, member_id=member_named(desk, member).pk, gift=gift, key=fresh_key(desk, key), now=desk.now,
        actor=desk.actor, count=count, at_once=not (hold or ship), way="ship" if ship else "pickup", store=store_named(desk, store),
    )  # fmt: skip
    _answer(desk, told)


@declared("done", _("Hand over what was set aside."), "shuke gifts done 250164790926770176", group=command)
@click.argument("number", type=int, metavar=_("NUMBER"))
def done(desk: Desk, number: int) -> None:
    from shuke.loyalty.actions import gifts

    _answer(desk, gifts.hand_over(merchant=desk.merchant, order_id=number, now=desk.now, actor=desk.actor))


@declared(
    "cancel",
    _("Cancel what was set aside: points and stock come back."),
    "shuke gifts cancel 250164790926770176",
    group=command,
)
@click.argument("number", type=int, metavar=_("NUMBER"))
@click.option("--because", default="", metavar=_("TEXT"), help=_("why"))
def cancel(desk: Desk, number: int, because: str) -> None:
    from shuke.loyalty.actions import gifts

    told = gifts.cancel(merchant=desk.merchant, order_id=number, now=desk.now, actor=desk.actor, because=because)
    _answer(desk, told)


@declared(
    "back",
    _("Take back what was handed over: points return to the lots they came from, pieces to the stock."),
    "shuke gifts back 250164790926770176 --key return-17\nshuke gifts back 250164790926770176 --broken",
    group=command,
)
@click.argument("number", type=int, metavar=_("NUMBER"))
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 1000), help=_("pieces"))
@click.option("--broken", is_flag=True, help=_("they cannot be given again"))
@click.option("--key", metavar=_("KEY"), help=_("your own name for this request"))
def back(desk: Desk, number: int, count: int, broken: bool, key: str | None) -> None:
    from shuke.loyalty.actions import gifts

    told = gifts.give_back(
        merchant=desk.merchant, order_id=number, key=fresh_key(desk, key), count=count, restock=not broken, now=desk.now,
        actor=desk.actor,
    )  # fmt: skip
    _answer(desk, told)


def _answer(desk: Desk, told: Any) -> None:
    if not told.done:
        raise Refused(told.say(language()))
    row = told.order
    if desk.as_json:
        desk.json({"done": True, "replayed": told.replayed, "number": row.pk, "state": row.state, "points": row.points,
                   "count": row.count, "returned": row.returned, "cash_minor": row.cash_minor, "until": row.until})  # fmt: skip
        return
    desk.say(f"{name_of(row.gift)} ×{row.count}: {state(row.state)} ({row.pk})")


def state(code: str) -> str:
    return {
        "held": _("set aside"),
        "done": _("handed over"),
        "cancelled": _("cancelled"),
        "timed_out": _("not picked up"),
        "returned": _("came back"),
        "refused": _("refused"),
    }[code]


@declared(
    "orders",
    _("Orders of gifts, latest first."),
    "shuke gifts orders --state held\nshuke gifts orders --member 100000000018",
    group=command,
)
@click.option(
    "--state",
    "wanted",
    default="",
    type=click.Choice(["", "held", "done", "cancelled", "timed_out", "returned", "refused"]),
    help=_("only these"),
)
@click.option("--member", metavar=_("MEMBER"), help=_("only this member"))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help=_("at most so many lines"))
def orders(desk: Desk, wanted: str, member: str | None, limit: int) -> None:
    from shuke.loyalty.queries import gifts

    who = member_named(desk, member).pk if member else None
    rows = list(gifts.orders(desk.merchant, state=wanted, member_id=who)[:limit])
    if desk.as_json:
        desk.json(
            [
                {"number": r.pk, "at": r.placed_at, "member": r.member.card, "gift": r.gift.code, "count": r.count, "points": r.points,
                 "state": r.state, "code": r.code, "returned": r.returned, "until": r.until, "way": r.way}
                for r in rows
            ]
        )  # fmt: skip
        return
    desk.table(
        [_("number"), _("when"), _("member"), _("gift"), _("pieces"), _("points"), _("state"), _("until")],
        [
            (str(r.pk), desk.minute(r.placed_at), r.member.card, name_of(r.gift), r.count, r.points, state(r.state), desk.minute(r.until))
            for r in rows
        ],
        right=(4, 5),
    )  # fmt: skip
