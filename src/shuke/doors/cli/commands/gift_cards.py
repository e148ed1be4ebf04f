"""`shuke stored cards …`: gift cards made, sold, looked at, redeemed, spent, renewed, void, as a file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from shuke.doors.cli.commands.members import member_named
from shuke.doors.cli.commands.stored import KEY, PAID_BY, command, minor, refusing
from shuke.doors.cli.days import DAY
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.errors import Refused
from shuke.doors.cli.words import _


@click.group("cards", help=_("Gift cards: made in bulk, sold, redeemed, spent."))
def cards() -> None:
    """Gift cards."""


command.add_command(cards)
CARD = click.argument("card", metavar=_("CARD"))


def _card(desk: Desk, told: str) -> Any:
    """The card by code or printed number; Refused where there is none."""
    from shuke.flows import stored as flow

    found = flow.card_named(merchant=desk.merchant, told=told)
    if found is None:
        raise Refused(_("There is no gift card {card}.").format(card=told))
    return found


@declared(
    "make",
    _("Make gift cards of one value. They are worth nothing until they are sold."),
    "shuke stored cards make 200 --value 100\nshuke stored cards make 50 --value 500 --price 450 --label 春节",
    group=cards,
)
@click.argument("count", metavar=_("COUNT"), type=click.IntRange(1, 200_000))
@click.option("--value", required=True, help=_("what a card is worth"))
@click.option("--price", help=_("what it is sold for; default: its value. The rest is bonus"))
@click.option("--label", default="", help=_("what the batch is called"))
def make(desk: Desk, count: int, value: str, price: str | None, label: str) -> None:
    from shuke.loyalty.actions import stored

    batch = refusing(
        lambda: stored.begin_cards(
            merchant=desk.merchant, count=count, value=minor(desk, value),
            price=minor(desk, price) if price is not None else None, label=label, now=desk.now, actor=desk.actor,
        )
    )  # fmt: skip
    stored.make_cards(batch_id=batch.pk)
    if desk.as_json:
        desk.json(
            {"batch": str(batch.pk), "cards": count, "value_minor": batch.value_minor, "price_minor": batch.price_minor}
        )
        return
    desk.say(
        _(
            "Batch {batch}: {count} cards of {value}. Take the codes out with: shuke stored cards export {batch} --output FILE"
        ).format(batch=batch.pk, count=count, value=desk.money(batch.value_minor))
    )


@declared("list", _("Batches of gift cards, and what is left on them."), "shuke stored cards list", group=cards)
def list_(desk: Desk) -> None:
    from shuke.loyalty.queries import stored

    found = stored.batches(desk.merchant)
    if desk.as_json:
        desk.json(
            [
                {
                    "batch": str(one.batch.pk), "label": one.batch.label, "cards": one.batch.made,
                    "value_minor": one.batch.value_minor, "price_minor": one.batch.price_minor, "states": one.states,
                    "left_minor": one.left_minor,
                }
                for one in found
            ]
        )  # fmt: skip
        return
    desk.table(
        [
            _("batch"),
            _("label"),
            _("made"),
            _("value"),
            _("for sale"),
            _("sold"),
            _("redeemed"),
            _("void"),
            _("left on them"),
        ],
        [
            (
                str(one.batch.pk),
                one.batch.label,
                one.batch.made,
                desk.money(one.batch.value_minor),
                *(one.states.get(state, 0) for state in ("made", "active", "redeemed", "void")),
                desk.money(one.left_minor),
            )
            for one in found
        ],
        right=(2, 3, 4, 5, 6, 7, 8),
    )


@declared(
    "sell",
    _("Cards were paid for: from now on they are money. By code, or a range of printed numbers."),
    "shuke stored cards sell K7QM-2XWD-9PTAC --by cash --key till-3-130\n"
    "shuke stored cards sell 250176167691157504/1 --to 20 --by bank --key office-4",
    group=cards,
)
@CARD
@click.option("--to", "last", type=click.IntRange(1), help=_("up to this number of the same batch"))
@PAID_BY
@KEY
def sell(desk: Desk, card: str, last: int | None, paid_by: str, key: str) -> None:
    from shuke.loyalty.actions import stored
    from shuke.loyalty.queries import stored as books

    first = _card(desk, card)
    chosen = [first]
    if last is not None:
        chosen = books.cards_of_batch(desk.merchant, first.batch_id, first.number, last)
    answers = refusing(
        lambda: stored.sell_cards(
            merchant=desk.merchant,
            cards=[one.pk for one in chosen],
            key=key,
            paid_by=paid_by,
            now=desk.now,
            actor=desk.actor,
        )
    )
    total = sum(answer.figures["amount"] for answer in answers)
    if desk.as_json:
        desk.json({"cards": len(answers), "amount_minor": total, "replayed": all(a.replayed for a in answers)})
        return
    desk.say(_("{n} cards sold for {amount}.").format(n=len(answers), amount=desk.money(total)))


@declared(
    "show",
    _("What is on a card, and what became of it. Wrong codes are counted against this terminal."),
    "shuke stored cards show K7QM-2XWD-9PTAC",
    group=cards,
)
@CARD
def show(desk: Desk, card: str) -> None:
    from shuke.flows import stored as flow
    from shuke.loyalty.queries import stored as books

    if "/" in card:
        told = books.seen(desk.merchant, _card(desk, card), desk.now)
    else:
        told = refusing(
            lambda: flow.card_balance(merchant=desk.merchant, code=card, callers=[desk.actor], now=desk.now)
        )
    if desk.as_json:
        desk.json(
            {
                "card": f"{told.card.batch_id}/{told.card.number}", "state": told.state,
                "available_minor": told.balance.available, "expires_at": told.card.expires_at,
            }
        )  # fmt: skip
        return
    desk.facts(
        [
            (_("card"), f"{told.card.batch_id}/{told.card.number}"),
            (_("state"), state(told.state)),
            (_("available"), desk.money(told.balance.available)),
            (_("usable before"), desk.day(told.card.expires_at)),
        ]
    )


@declared(
    "redeem",
    _("All that is on a card becomes a member's stored value."),
    "shuke stored cards redeem K7QM-2XWD-9PTAC 100000000018 --key till-3-131",
    group=cards,
)
@CARD
@click.argument("member", metavar=_("MEMBER"))
@KEY
def redeem(desk: Desk, card: str, member: str, key: str) -> None:
    from shuke.flows import stored as flow

    who = member_named(desk, member)
    answer = refusing(
        lambda: flow.redeem_code(
            merchant=desk.merchant,
            code=card,
            member_id=who.pk,
            key=key,
            callers=[desk.actor],
            now=desk.now,
            actor=desk.actor,
        )
    )
    if desk.as_json:
        desk.json(
            {"member": who.card, **{f"{k}_minor": n for k, n in answer.figures.items()}, "replayed": answer.replayed}
        )
        return
    told = {k: desk.money(n) for k, n in answer.figures.items()}
    desk.say(_("{member}: {amount} from the card; {available} can be used.").format(member=who, **told))


def _use(desk: Desk, code: str, one: Any) -> None:
    from shuke.flows import stored as flow
    from shuke.loyalty.actions import stored

    def call() -> Any:
        answer = flow.use_code(
            merchant=desk.merchant, code=code, one=one, callers=[desk.actor], now=desk.now, actor=desk.actor
        )
        return stored.done(one, answer, desk.merchant.currency)

    answer = refusing(call)
    if desk.as_json:
        desk.json({**{f"{k}_minor": n for k, n in answer.figures.items()}, "replayed": answer.replayed})
        return
    desk.say(_("{available} are on the card.").format(available=desk.money(answer.figures["available"])))


@declared(
    "spend",
    _("Pay from a card; nobody needs to be known."),
    "shuke stored cards spend K7QM-2XWD-9PTAC 39.90 --key till-3-132",
    group=cards,
)
@CARD
@click.argument("amount", metavar=_("AMOUNT"))
@KEY
def spend(desk: Desk, card: str, amount: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    _use(desk, card, Ask(key, "spend", amount=minor(desk, amount)))


@declared(
    "return",
    _("Goods paid with a card come back: the money returns to the card."),
    "shuke stored cards return K7QM-2XWD-9PTAC 39.90 --of till-3-132 --key till-3-133",
    group=cards,
)
@CARD
@click.argument("amount", metavar=_("AMOUNT"))
@click.option("--of", "paid", required=True, help=_("key of the payment"))
@KEY
def give_back(desk: Desk, card: str, amount: str, paid: str, key: str) -> None:
    from shuke.loyalty.actions.stored import Ask

    _use(desk, card, Ask(key, "return", amount=minor(desk, amount), ref=paid))


@declared(
    "renew",
    _("Let a card be used until a later day. What is on a card that ran out is never lost."),
    "shuke stored cards renew 250176167691157504/7 2030-12-31",
    group=cards,
)
@CARD
@click.argument("day", metavar=_("DAY"), type=DAY)
def renew(desk: Desk, card: str, day: datetime) -> None:
    from shuke.kit.clock import day_start
    from shuke.loyalty.actions import stored

    found = _card(desk, card)
    until = day_start(day.date() + timedelta(days=1), desk.merchant.tz)
    refusing(
        lambda: stored.renew_card(merchant=desk.merchant, card_id=found.pk, until=until, now=desk.now, actor=desk.actor)
    )
    if desk.as_json:
        desk.json({"card": f"{found.batch_id}/{found.number}", "expires_at": until})
        return
    desk.say(_("The card can be used to the end of {day}.").format(day=f"{day:%Y-%m-%d}"))


@declared(
    "void",
    _("Make a card useless, with a reason; --paid-out: its money was given back."),
    'shuke stored cards void 250176167691157504/7 --reason "lost in the post"',
    group=cards,
)
@CARD
@click.option("--reason", required=True, help=_("why, for the statement and the audit log"))
@click.option("--paid-out", is_flag=True, help=_("what was on it was paid back"))
def void(desk: Desk, card: str, reason: str, paid_out: bool) -> None:
    from shuke.loyalty.actions import stored

    found = _card(desk, card)
    gone = refusing(
        lambda: stored.void_card(
            merchant=desk.merchant, card_id=found.pk, reason=reason, paid_out=paid_out, now=desk.now, actor=desk.actor
        )
    )
    if desk.as_json:
        desk.json({"card": f"{found.batch_id}/{found.number}", "state": "void", "amount_minor": gone})
        return
    desk.say(_("The card is void; {amount} were on it.").format(amount=desk.money(gone)))


@declared(
    "export",
    _("Write the codes of a batch to a CSV file. The audit log says who took them."),
    "shuke stored cards export 250176167691157504 --output cards.csv",
    group=cards,
)
@click.argument("batch", metavar=_("BATCH"), type=int)
@click.option(
    "--output", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help=_("where to write it")
)
def export(desk: Desk, batch: int, file: Path) -> None:
    from shuke.flows import stored as flow

    lines = refusing(lambda: flow.export_cards(merchant=desk.merchant, batch_id=batch, now=desk.now, actor=desk.actor))
    with file.open("w", encoding="utf-8", newline="") as out:
        for part in lines:
            out.write(part)
    file.chmod(0o600)  # as good as money
    if desk.as_json:
        desk.json({"batch": str(batch), "file": str(file)})
        return
    desk.say(_("The codes are in {file}. Keep it as you keep cash.").format(file=file))


def state(code: str) -> str:
    return {
        "made": _("for sale"),
        "active": _("sold"),
        "expired": _("ran out"),
        "redeemed": _("redeemed"),
        "void": _("void"),
    }[code]
