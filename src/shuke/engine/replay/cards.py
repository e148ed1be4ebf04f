"""Gift cards while the list runs: declared with their codes, sold, spent by whoever has one, redeemed, void, renewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shuke.engine.charter.stored import minor
from shuke.engine.charter.terms import Versions
from shuke.engine.replay.codes import TILL, Brake
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.value import Value, did
from shuke.engine.stored.judging import above_balance
from shuke.kit.clock import add_months, day_of, day_start


@dataclass(slots=True)
class Card:
    code: str
    number: str
    value: int
    price: int
    months: int
    state: str = "made"  # made | active | redeemed | void
    expires_at: datetime | None = None

    @property
    def holder(self) -> str:
        """Whose purse it is: no member has a name of this kind."""
        return f"card|{self.number}"

    def seen(self, at: datetime) -> str:
        over = self.state == "active" and self.expires_at is not None and self.expires_at <= at
        return "expired" if over else self.state


class Cards:
    def __init__(self, versions: Versions, value: Value, brake: Brake) -> None:
        self.versions, self.value, self.brake = versions, value, brake
        self.all: dict[str, Card] = {}

    def balance(self, card: Card, at: datetime) -> int:
        purse = self.value.purses.get(card.holder)
        return purse.available(at) if purse is not None else 0

    def do(self, line: Line) -> Answer:
        doing = {
            "card_make": self._make,
            "card_sell": self._sell,
            "card_redeem": self._redeem,
            "card_spend": self._spend,
            "card_give_back": self._give_back,
            "card_void": self._void,
            "card_renew": self._renew,
        }
        return doing[line.event](line)

    # ---- at the shop ------------------------------------------------------------------------------------------------

    def _make(self, line: Line) -> Answer:
        terms = self.versions.at(line.at)
        part, price = terms.charter.stored, line.paid if line.price is None else line.price
        if part is None:
            return Answer(False, "stored_value_off")
        if price > line.paid:
            return Answer(False, "price_above_value", {"amount": line.paid})
        most = minor(part.cards.most, terms.currency)
        if most and line.paid > most:
            return Answer(False, "above_card_limit", {"amount": line.paid, "most": most})
        for code in line.codes:
            number = f"9{len(self.all) + 1:018d}"  # no coupon has one that high
            self.all[code] = Card(code, number, line.paid, price, part.cards.months)
        return Answer(True, did=[made(len(line.codes), line.paid)])

    def _sell(self, line: Line) -> Answer:
        if not self.value.is_on(line.at):
            return Answer(False, "stored_value_off")
        card = self.all.get(line.ref)
        if card is None:
            return Answer(False, "no_such_card", {"card": line.ref})
        if card.state != "made":
            return Answer(False, "card_not_for_sale", {"card": line.ref, "state": card.state})
        card.state, zone = "active", self.versions.last.zone
        if card.months:
            last = add_months(day_of(line.at, zone), card.months)
            card.expires_at = day_start(last + timedelta(days=1), zone)
        self.value.purse(card.holder).top_up(line.id, card.price, card.value - card.price, line.at)
        figures = {
            "amount": card.price, "principal": card.price, "bonus": card.value - card.price, "available": card.value,
        }  # fmt: skip
        return Answer(True, did=[moved("card_sell", line.ref, figures)])

    def _void(self, line: Line) -> Answer:
        card = self.all.get(line.ref)
        if card is None:
            return Answer(False, "no_such_card", {"card": line.ref})
        if card.state == "void":
            return Answer(True)
        if card.state == "redeemed":
            return Answer(False, "card_not_active", {"card": line.ref, "state": card.state})
        gone = self.balance(card, line.at)
        if card.state == "active":
            self.value.purse(card.holder).empty(line.at, "paid_out" if line.paid_out else "voided")
        card.state = "void"
        return Answer(True, did=[moved("card_void", line.ref, {"amount": gone})])

    def _renew(self, line: Line) -> Answer:
        card = self.all.get(line.ref)
        if card is None:
            return Answer(False, "no_such_card", {"card": line.ref})
        if card.state != "active":
            return Answer(False, "card_not_active", {"card": line.ref, "state": card.state})
        assert line.until is not None
        if line.until <= line.at:
            return Answer(False, "not_later", {"card": line.ref})
        card.expires_at = line.until
        return Answer(True, did=[moved("card_renew", line.ref, {})])

    # ---- by whoever has one -----------------------------------------------------------------------------------------

    def _look_up(self, code: str, caller: str, at: datetime) -> tuple[Card | None, Answer]:
        """Unknown, unsold, used, void and expired cards are refused alike, and each bad one counts against its caller."""
        if not self.value.is_on(at):
            return None, Answer(False, "stored_value_off")
        if minutes := self.brake.minutes(caller, at):
            return None, Answer(False, "try_later", {"card": code, "minutes": minutes})
        card = self.all.get(code)
        if card is None or card.seen(at) != "active":
            self.brake.bad(caller, at)
            return None, Answer(False, "card_refused", {"card": code})
        return card, Answer(True)

    def _redeem(self, line: Line) -> Answer:
        at, card = line.at, self.all.get(line.ref)
        if card is not None and card.state == "redeemed":
            self.brake.bad(line.member, at)
            return Answer(False, "card_refused", {"card": line.ref})
        card, why = self._look_up(line.ref, line.member, at)
        if card is None:
            return why
        terms = self.versions.at(at)
        mine, theirs = self.value.purse(line.member), self.value.purse(card.holder)
        mine.advance(at)
        money = theirs.available(at, "principal")
        assert terms.charter.stored is not None
        most = minor(terms.charter.stored.most_balance, terms.currency)
        code, figures = above_balance(most, money, mine.balance("principal"))
        if code:
            return Answer(False, code, {"card": line.ref, **figures})
        effect = mine.take_over(line.id, theirs, at, purse=0)
        bonus = sum(lot.granted for lot in effect.lots if lot.kind == "bonus")
        card.state = "redeemed"
        told = {"amount": money + bonus, "principal": money, "bonus": bonus, "available": mine.available(at)}
        return Answer(True, did=[moved("card_redeem", line.ref, told)])

    def _spend(self, line: Line) -> Answer:
        card, why = self._look_up(line.ref, TILL, line.at)
        if card is None:
            return why
        return self.told(card, self.value.ask(card.holder, line.id, "spend", line.paid, "", line.at), "card_spend")

    def _give_back(self, line: Line) -> Answer:
        card = self.all.get(line.ref)
        if card is None:
            card, why = self._look_up(line.ref, TILL, line.at)
            if card is None:
                return why
        if card.holder not in self.value.purses:
            return Answer(False, "card_refused", {"card": line.ref})
        if not self.may_come_back(card):
            return Answer(False, "card_not_active", {"card": line.ref, "state": card.state})
        answer = self.value.ask(card.holder, line.id, "return", line.paid, line.spend, line.at)
        return self.told(card, answer, "card_give_back")

    def told(self, card: Card, answer: Answer, kind: str) -> Answer:
        """What a purse answers, as of a card."""
        if not answer.done:
            figures = {k: v for k, v in answer.figures.items() if k != "ref"}
            return Answer(False, answer.code, {"card": card.code, **figures})
        return Answer(True, did=[moved(kind, card.code, answer.figures)])

    def may_come_back(self, card: Card) -> bool:
        """Goods that come back make a card that was redeemed one again; a void one stays void."""
        if card.state == "redeemed":
            card.state = "active"
        return card.state != "void"

    # ---- the till ---------------------------------------------------------------------------------------------------

    def asked(self, codes: list[str], at: datetime) -> tuple[dict[str, Card], dict[str, str]]:
        """Of the codes of a basket: cards that can pay, and why others cannot."""
        known: dict[str, Card] = {}
        why: dict[str, str] = {}
        for code in codes if self.value.is_on(at) else ():
            card, answer = self._look_up(code, TILL, at)
            if card is None:
                why[code] = answer.code
            else:
                known[code] = card
        return known, why

    def numbers(self) -> dict[str, str]:
        """How the till calls each card, and what the list calls it."""
        return {c.number: c.code for c in self.all.values()} | {hint(c.number): c.code for c in self.all.values()}

    def by_number(self, number: str) -> Card:
        return next(card for card in self.all.values() if card.number == number)

    def end(self, until: datetime) -> dict[str, Any]:
        return {
            card.code: standing(card.seen(until), card.value, self.balance(card, until), card.expires_at)
            for card in self.all.values()
        }


def hint(number: str) -> str:
    return f"…{number}"


def made(count: int, value: int) -> dict[str, Any]:
    return {"kind": "card_make", "count": count, "value_minor": value}


def moved(kind: str, card: str, figures: dict[str, int]) -> dict[str, Any]:
    return did(kind, figures) | {"card": card}


def standing(state: str, value: int, available: int, expires_at: datetime | None) -> dict[str, Any]:
    """A card as it is printed at the end."""
    return {
        "state": state,
        "value_minor": value,
        "available_minor": available,
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
