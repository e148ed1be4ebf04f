"""The list of events run by the engine, nothing else: one fold per member, one purse of budgets for all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.purse import Purse
from shuke.engine.replay.benefits import Benefits
from shuke.engine.replay.cards import Cards
from shuke.engine.replay.codes import Codes
from shuke.engine.replay.draws import Draws
from shuke.engine.replay.fields import REQUESTS, VALUE, Line
from shuke.engine.replay.gifts import Gifts
from shuke.engine.replay.member import BY_EFFECT, Ask, Member
from shuke.engine.replay.outcome import Answer, Names, Outcome
from shuke.engine.replay.partners import Partners
from shuke.engine.replay.referrals import Referrals
from shuke.engine.replay.rules import News, Nights, Rules
from shuke.engine.replay.sharing import Sharing
from shuke.engine.replay.till import Till
from shuke.engine.replay.value import Value
from shuke.engine.replay.vouchers import Vouchers


class Replay:
    """Runs lines in order; `run` says what came of them. Each desk keeps what is its own."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self.purse = Purse() if versions.has_budgets else None
        self.members: dict[str, Member] = {}
        self.answers: dict[int, Answer] = {}
        self.names = Names()
        taken: set[str] = set()
        self.vouchers = Vouchers(versions, taken)
        self.value = Value(versions)
        self.codes = Codes(self.vouchers)
        self.cards = Cards(versions, self.value, self.codes.brake)
        self.till = Till(versions, self.members, self.vouchers, self.codes, self.value, self.cards, self.names)
        self.gifts = Gifts(versions, self.members, self.vouchers)
        self.draws = Draws(versions, self.members, self.vouchers)
        self.referrals = Referrals(versions, self.members, self.vouchers, self.names)
        self.sharing = Sharing(versions, self.members)
        self.benefits = Benefits(versions, self.members, self.till.goods, self.names)
        self.partners = Partners(versions, self.members, self.names)
        self.rules = Rules(versions, self.members, self.vouchers)
        self.reasons: dict[int, list[dict[str, Any]]] = {}  # line → why rules gave no coupon
        self._taken = taken

    def run(self, lines: Sequence[Line], until: datetime | None = None) -> Outcome:
        self._taken.update(line.id for line in lines if line.id)
        news, nights = News(), Nights(self.versions)
        for line in lines:
            if until is not None and line.at > until:
                break
            self._nights(nights, line.at, news)
            self.answers[line.number] = answer = self._one(line)
            self.referrals.settle(line.at)
            found = self.rules.run(line.at)
            news.of(answer, line.member, found)
            if answer.done:
                self.reasons[line.number] = self.rules.why_not(line, found)
        end = until or max((line.at for line in lines), default=datetime.min)
        self._nights(nights, end, news)
        self._clock(end)
        self.referrals.settle(end)
        news.between(end, self.rules.run(end))
        members = {
            name: member.end(end, self.names, lambda who: self._rest(who, end)) for name, member in self.members.items()
        }
        return Outcome(end, self.answers, members, news.clock, self.cards.end(end), self.vouchers.end_of_bearers())

    def _nights(self, nights: Nights, at: datetime, news: News) -> None:
        for midnight in nights.until(at):
            news.between(midnight, self.rules.run(midnight))

    def _rest(self, member: str, until: datetime) -> dict[str, Any]:
        """What a member has that is no points."""
        return {
            "coupons": self.vouchers.end(member),
            "value": self.value.end(member, until, self.names),
            "gifts": self.gifts.end(member),
            "tickets": self.draws.end(member),
            "brought": self.referrals.end(member),
            "benefits": self.benefits.end(member),
            "family": self.sharing.end(member),
        }

    def _clock(self, at: datetime) -> None:
        for member in self.members.values():
            member.advance(at)
        self.gifts.lapse(at)
        self.vouchers.expire(at)
        self.value.advance(at)

    def _one(self, line: Line) -> Answer:
        event = line.event
        if event == "clock":
            self._clock(line.at)
            return Answer(True)
        if event == "join":
            number = len(self.members)
            self.members[line.member] = Member(line.member, number, self.versions, line.at, line.birthday, self.purse)
            return Answer(True, events=[(line.member, "joined")])
        if event in REQUESTS:
            return self.sharing.spend(line) if line.pool else self._request(line)
        if event in VALUE:
            return self.value.ask(line.member, line.id, VALUE[event], line.paid, line.ref, line.at, kind=event)
        if event == "transfer":
            return self.sharing.transfer(line)
        if event in ("tier", "invite"):
            return self._tier(line)
        if event == "order":
            answer = self.till.order(line)
        elif event == "return":
            answer = self.till.returned(line)
        elif event == "referral":
            return self.referrals.bind(line.member, line.ref, line.at)
        else:
            return self._other(line)
        if answer.done:
            self.referrals.touch(line.member or self.till.returns.sold[line.order].line.member, line.at)
        return answer

    def _other(self, line: Line) -> Answer:
        event, at = line.event, line.at
        if event == "price":
            return self.till.price(line)
        if event == "coupon_issue":
            return self.vouchers.issue(line.ref, line.member, line.copies, "hand", at, named=line.id)
        if event == "coupon_claim":
            return self.codes.claim(line) if line.code else self.vouchers.claim(line.ref, line.member, at, line.id)
        if event == "coupon_codes":
            return self.codes.make(line)
        if event == "coupon_redeem":
            return self.till.redeem(line)
        if event == "coupon_void":
            return self.vouchers.void(line.ref, at)
        if event == "gift_offer":
            return self.gifts.offer(line)
        if event.startswith("partner"):
            return self.partners.do(line)
        if event.startswith("card_"):
            return self.cards.do(line)
        if event == "benefit":
            return self.benefits.hand_out(line)
        if event == "benefit_undo":
            return self.benefits.take_back(line)
        if event in ("family", "family_join", "family_leave"):
            return self.sharing.family(line)
        if event == "special_days":
            self.members[line.member].days = line.days
            return Answer(True)
        if event == "complaint":
            self.rules.settled.append((line.member, at, line.id))
            return Answer(True)
        if event == "draw_offer":
            return self.draws.offer(line)
        if event == "draw":
            return self.draws.draw(line)
        return self.gifts.do(line)

    # -- points ---------------------------------------------------------------------------------------------------------

    def _request(self, line: Line) -> Answer:
        member, kind = self.members[line.member], REQUESTS[line.event]
        until = line.until if kind == "hold" else None
        expires = line.until if kind == "adjust" else None
        answer = member.ask(Ask(line.id, kind, line.points, line.ref, until, expires), line.at)
        if answer.done and kind in BY_EFFECT:
            name = f"{kind}:{line.id}"
            effect = next((e for e in reversed(member.fold.effects) if e.event == name), None)
            points = 0 if effect is None else effect.legs.get("member", 0) + effect.legs.get("debt", 0)
            answer.figures = {"amount": points, "growth": 0 if effect is None else effect.growth}
            if kind == "activity":
                self.draws.took_part(line.member, line.ref, name, line.at)
        elif answer.done and kind == "activity_undo":
            self.draws.took_back(f"activity:{line.ref}")
        return answer

    def _tier(self, line: Line) -> Answer:
        terms = self.versions.at(line.at)
        if line.ref not in terms.rank:
            return Answer(False, "no_such_tier", {"tier": line.ref, "known": ", ".join(terms.rank)})
        cause = "invited" if line.event == "invite" else "manual"
        # In the books grades given at one moment stand in the order in which they were given.
        name = f"tier:{line.number:012d}"
        self.members[line.member].happen(ev.TierGiven(name, line.at, line.ref, line.until, cause))
        return Answer(True)
