"""`shuke stored …`: money members pay in advance, what it is spent on, and what the shop owes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _, language


@click.group("stored", help=_("Stored value: money members pay in advance, and gift cards."))
def command() -> None:
    """Stored value."""


KEY = click.option("--key", required=True, help=_("your own key: the same call again does nothing twice"))
MEMBER = click.argument("member", metavar=_("MEMBER"))
AMOUNT = click.argument("amount", metavar=_("AMOUNT"))
PAID_BY = click.option(
    "--by", "paid_by", default="", metavar=_("WAY"), help=_("how it was paid: cash, wechat, alipay, card, bank")
)


def minor(desk: Desk, told: str) -> int:
    """What was typed as money, in minor units."""
    from shuke.kit import money

    try:
        return money.parse(told, desk.merchant.currency)
    except money.NotMoney as error:
        raise click.UsageError(_("“{text}” is no amount of money.").format(text=told)) from error


def refusing(call: Callable[[], Any]) -> Any:
    """What the call gives; a refusal is a sentence in the language of the terminal."""
    from shuke.loyalty.actions.stored import StoredRefused

    try:
        return call()
    except StoredRefused as error:
        raise Refused(error.say(language())) from error


def ask_once(desk: Desk, one: Any) -> Any:
    from shuke.loyalty.actions import stored

    def call() -> Any:
        [answer] = stored.ask(merchant=desk.merchant, asks=[one], now=desk.now, actor=desk.actor)
        return stored.done(one, answer, desk.merchant.currency)

    return refusing(call)


def _tell(desk: Desk, who: Any, answer: Any, sentence: str) -> None:
    """The figures of an answer: as they are for programs, in a sentence for people."""
    if desk.as_json:
        desk.json(
            {"member": who.card, **{f"{k}_minor": n for k, n in answer.figures.items()}, "replayed": answer.replayed}
        )
        return
    desk.say(sentence.format(member=who, **{k: desk.money(n) for k, n in answer.figures.items()}))


@declared(
    "balance",
    _("What a member has: money paid in, bonus, what is set aside, and when bonus lapses."),
    "shuke stored balance 100000000018",
    group=command,
)
@MEMBER
def balance(desk: Desk, member: str) -> None:
    from shuke.loyalty.queries import stored

    who = member_named(desk, member)
    told = stored.balance(desk.merchant, who.pk, desk.now)
    if desk.as_json:
        desk.json({"member": who.card, **told._asdict()})
        return
    desk.facts(
        [
            (_("available"), desk.money(told.available)),
            (_("paid in"), desk.money(told.principal)),
            (_("bonus"), desk.money(told.bonus)),
            (_("set aside"), desk.money(told.held)),
            *((_("bonus lapses on {day}").format(day=desk.day(at)), desk.money(n)) for at, n in told.next_expiry[:3]),
        ],
        title=str(who),
    )


@declared(
    "topup",
    _("A member pays money in; the charter says what is added."),
    "shuke stored topup 100000000018 1000 --by wechat --key till-3-118",
    group=command,
)
@MEMBER
@AMOUNT
@PAID_BY
@KEY
def topup(desk: Desk, member: str, amount: str, paid_by: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    who = member_named(desk, member)
    answer = ask_once(desk, Ask(key, "top_up", who.pk, minor(desk, amount), paid_by=paid_by))
    _tell(desk, who, answer, _("{member}: {principal} paid in, {bonus} added; {available} can be used."))


@declared(
    "spend",
    _("Pay from a member's stored value."),
    "shuke stored spend 100000000018 39.90 --key till-3-119",
    group=command,
)
@MEMBER
@AMOUNT
@KEY
def spend(desk: Desk, member: str, amount: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    who = member_named(desk, member)
    answer = ask_once(desk, Ask(key, "spend", who.pk, minor(desk, amount)))
    _tell(desk, who, answer, _("{member}: paid {amount}, {available} are left."))


@declared(
    "return",
    _("Goods come back: the money of a payment returns to what it was taken from."),
    "shuke stored return 100000000018 39.90 --of till-3-119 --key till-3-120",
    group=command,
)
@MEMBER
@AMOUNT
@click.option("--of", "paid", required=True, help=_("key of the payment"))
@KEY
def give_back(desk: Desk, member: str, amount: str, paid: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    who = member_named(desk, member)
    answer = ask_once(desk, Ask(key, "return", who.pk, minor(desk, amount), ref=paid))
    _tell(desk, who, answer, _("{member}: {amount} came back, {available} can be used."))


@declared(
    "refund",
    _("Pay money that a member paid in back to them; the charter says what bonus is given up."),
    "shuke stored refund 100000000018 200 --by cash --key desk-7",
    group=command,
)
@MEMBER
@AMOUNT
@PAID_BY
@KEY
def refund(desk: Desk, member: str, amount: str, paid_by: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    who = member_named(desk, member)
    answer = ask_once(desk, Ask(key, "withdraw", who.pk, minor(desk, amount), paid_by=paid_by))
    _tell(
        desk, who, answer, _("{member}: pay out {principal}; {forfeited} of bonus are given up, {available} are left.")
    )


@declared(
    "adjust",
    _("Give or take stored value by hand; beyond the charter's limit of a day a second person has to agree."),
    'shuke stored adjust 100000000018 20 --reason "charged twice" --key desk-9\n'
    'shuke stored adjust 100000000018 --bonus --reason "charged twice" --key desk-10 -- -20',
    group=command,
)
@MEMBER
@AMOUNT
@click.option("--bonus", is_flag=True, help=_("bonus instead of money paid in"))
@click.option("--reason", required=True, help=_("why, for the statement and the audit log"))
@KEY
def adjust(desk: Desk, member: str, amount: str, bonus: bool, reason: str, key: str) -> None:
    from shuke.loyalty.actions import stored

    who = member_named(desk, member)
    account, change = "bonus" if bonus else "principal", minor(desk, amount)
    told = refusing(
        lambda: stored.correct(
            merchant=desk.merchant, key=key, member_id=who.pk, amount=change, account=account, reason=reason,
            now=desk.now, actor=desk.actor,
        )
    )  # fmt: skip
    if isinstance(told, stored.Answer):
        one = stored.Ask(key, "adjust", who.pk, change, account=account)
        answer = refusing(lambda: stored.done(one, told, desk.merchant.currency))
        _tell(desk, who, answer, _("{member}: {amount} by hand, {available} can be used."))
        return
    because = stored.why_waits(told, language()) if told.state == "waiting" else ""
    if desk.as_json:
        desk.json(_correction(told) | {"because": because})
        return
    if told.state != "waiting":
        desk.say(f"{who}: {desk.money(told.amount)} · {_state(told.state)}")
        return
    waits = _("{amount} for {member} wait for a second person: shuke stored agree {id}").format(
        amount=desk.money(told.amount), member=who, id=told.pk
    )
    desk.say(f"{waits}\n{because}" if because else waits)


@declared(
    "corrections",
    _("Stored value by hand that waits for a second person, and what became of the latest."),
    "shuke stored corrections",
    group=command,
)
def corrections(desk: Desk) -> None:
    from shuke.loyalty.queries import stored

    found = stored.corrections(desk.merchant)
    if desk.as_json:
        desk.json({"corrections": [_correction(one) for one in found]})
        return
    kinds = {"principal": _("paid in"), "bonus": _("bonus")}
    desk.table(
        [_("number"), _("asked"), _("by"), _("member"), _("what"), _("amount"), _("reason"), _("state")],
        [
            (
                str(one.pk),
                desk.minute(one.asked_at),
                one.asked_by,
                one.member,
                kinds[one.account],
                desk.money(one.amount),
                one.reason,
                _state(one.state),
            )
            for one in found
        ],
        right=(5,),
    )


def _decide(desk: Desk, number: int, agree: bool, reason: str = "") -> None:
    from shuke.loyalty.actions import stored

    found, answer = refusing(
        lambda: stored.decide_correction(
            merchant=desk.merchant, correction_id=number, agree=agree, reason=reason, now=desk.now, actor=desk.actor
        )
    )
    if answer is not None:
        one = stored.Ask(found.key, "adjust", found.member_id, found.amount, account=found.account)
        refusing(lambda: stored.done(one, answer, desk.merchant.currency))
    if desk.as_json:
        desk.json(_correction(found))
        return
    desk.say(f"{found.member}: {desk.money(found.amount)} · {_state(found.state)}")


NUMBER = click.argument("number", metavar=_("NUMBER"), type=int)


@declared(
    "agree", _("Agree to stored value by hand that somebody else asked for."), "shuke stored agree 42", group=command
)
@NUMBER
def agree(desk: Desk, number: int) -> None:
    _decide(desk, number, True)


@declared(
    "decline",
    _("Decline stored value by hand that somebody else asked for."),
    'shuke stored decline 42 --reason "no receipt"',
    group=command,
)
@NUMBER
@click.option("--reason", default="", help=_("why; who asked reads it"))
def decline(desk: Desk, number: int, reason: str) -> None:
    _decide(desk, number, False, reason)


FIRST = click.option("--from", "first", type=DAY, help=_("first day"))
LAST = click.option("--to", "last", type=DAY, help=_("last day; default: today"))


def _span(desk: Desk, first: datetime | None, last: datetime | None) -> tuple[datetime | None, datetime]:
    from shuke.kit.clock import day_start

    zone = desk.merchant.tz
    end = last.date() if last else desk.now.astimezone(zone).date()
    if first is not None and first.date() > end:
        raise click.UsageError(_("--from lies after --to."))
    return (day_start(first.date(), zone) if first else None), day_start(end + timedelta(days=1), zone)


@declared(
    "statement",
    _("Every change of a member's stored value, newest first, with both balances after it."),
    "shuke stored statement 100000000018 --from 2026-01-01",
    group=command,
)
@MEMBER
@FIRST
@LAST
def statement(desk: Desk, member: str, first: datetime | None, last: datetime | None) -> None:
    from shuke.engine.stored import naming
    from shuke.loyalty.queries import stored

    who = member_named(desk, member)
    since, end = _span(desk, first, last)
    lines = stored.statement(desk.merchant, who.pk, first=since, end=end)
    if desk.as_json:
        desk.json({"member": who.card, "lines": lines})
        return
    desk.table(
        [_("when"), _("what"), _("paid in"), _("bonus"), _("paid in, left"), _("bonus, left"), _("key")],
        [
            (
                desk.minute(x.at),
                naming.kind(x.kind, language()),
                desk.money(x.principal),
                desk.money(x.bonus),
                desk.money(x.principal_after),
                desk.money(x.bonus_after),
                x.key,
            )
            for x in lines
        ],
        title=str(who),
        right=(2, 3, 4, 5),
    )


@declared(
    "report",
    _("What the shop owes, and whether all money that came in is accounted for. Ends with 1 where it is not."),
    "shuke stored report\nshuke stored report --from 2026-06-01 --to 2026-06-30 --json",
    group=command,
)
@FIRST
@LAST
def report(desk: Desk, first: datetime | None, last: datetime | None) -> int:
    from shuke.engine.stored import naming
    from shuke.loyalty.queries import stored

    since, end = _span(desk, first, last)
    told = stored.report(desk.merchant, end, first=since)
    if desk.as_json:
        desk.json({**told._asdict(), "adds_up": told.adds_up})
        return 0 if told.adds_up else 1
    for title, side in ((_("Money paid in"), told.money), (_("Bonus"), told.bonus)):
        desk.table(
            [title, ""],
            [
                (_("opening"), desk.money(side.opening)),
                *((naming.account(name, language()), desk.money(n)) for name, n in side.moves.items() if n),
                (_("outstanding"), desk.money(side.closing)),
                (_("of it members"), desk.money(side.of_members)),
                (_("of it gift cards"), desk.money(side.of_cards)),
            ],
            right=(1,),
        )
    desk.say(_("All of it adds up.") if told.adds_up else _("It does not add up: run `shuke ledger verify`."))
    return 0 if told.adds_up else 1


def _state(code: str) -> str:
    return {
        "waiting": _("waiting"),
        "done": _("done"),
        "declined": _("declined"),
        "withdrawn": _("taken back"),
        "refused": _("refused"),
    }[code]


def _correction(one: Any) -> dict[str, Any]:
    return {
        "correction": str(one.pk), "member": one.member.card, "account": one.account, "amount_minor": one.amount,
        "reason": one.reason, "state": one.state, "asked_by": one.asked_by, "decided_by": one.decided_by,
        "decided_because": one.decided_because,
    }  # fmt: skip
