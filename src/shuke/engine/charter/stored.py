"""What the charter says of money paid in advance 储值 and of gift cards 礼品卡. Not in the charter: there is none.

The limits are those of the PRC for prepaid cards of one business (单用途商业预付卡管理办法（试行）, Ministry of Commerce order
No. 9 of 2012, articles 18 and 19): a card in a name holds at most 5,000 yuan and never runs out, one without a name at
most 1,000 yuan and lasts at least three years, and what is left on it afterwards is not lost. A shop elsewhere sets its
own; 0 says that there is no limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from shuke.engine.charter.faults import Fault
from shuke.engine.charter.parts import Amount, Part, Positive
from shuke.kit.money import digits

if TYPE_CHECKING:
    from shuke.engine.charter.sentences_en import English

TITLES = {"zh": "储值与礼品卡", "en": "Stored value and gift cards"}
Order = Literal["principal_first", "bonus_first", "proportion"]
Forfeit = Literal["proportion", "all", "none"]


class TopUp(Part):
    """From so much at once on, the shop adds this: 充1000送100."""

    at_least: Positive
    bonus: Amount | None = None
    percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=7, decimal_places=4)] | None = None


class Refund(Part):
    """The member asks for money paid in advance back."""

    allowed: bool = True
    bonus: Forfeit = "proportion"  # what becomes of the bonus that came with it


class GiftCards(Part):
    """Cards that anybody may hold."""

    most: Amount = Decimal(1000)  # value of one card; 0: no limit
    months: Annotated[int, Field(ge=0, le=1200)] = (
        0  # usable so long after it was sold, then renewed by the shop; 0: for ever
    )


class Stored(Part):
    order: Order = "principal_first"  # what a purchase uses
    ladder: Annotated[tuple[TopUp, ...], Field(max_length=30)] = ()
    repeat: bool = False  # the amount of the rung again for every full `at_least` of it (每充1000送100)
    least: Amount = Decimal(0)  # the smallest top-up
    most_balance: Amount = Decimal(5000)  # money of one member; 0: no limit
    bonus_months: Annotated[int, Field(ge=0, le=600)] = (
        0  # the bonus lapses after so long; 0: never. Money paid never does
    )
    returned_grace_days: Annotated[int, Field(ge=0, le=366)] = 30  # bonus that comes back after its end
    refund: Refund = Refund()
    second_person_above: Amount = Decimal(0)  # the same for money by hand
    cards: GiftCards = GiftCards()


def minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(digits(currency)))


def bonus_for(part: Stored, amount: int, currency: str) -> int:
    """What the shop adds to a top-up, in minor units; fractions are dropped."""
    best = None
    for rung in part.ladder:
        if amount >= minor(rung.at_least, currency):
            best = rung
    if best is None:
        return 0
    if best.percent is not None:
        return int(amount * best.percent / 100)
    times = amount // minor(best.at_least, currency) if part.repeat else 1
    return times * minor(best.bonus or Decimal(0), currency)


def ladder(part: Stored | None, currency: str) -> list[tuple[int, int]]:
    """From how much on, and what is added there, in minor units."""
    steps = [minor(rung.at_least, currency) for rung in part.ladder] if part else []
    return [(least, bonus_for(part, least, currency)) for least in steps] if part else []


def check_stored(part: Stored | None) -> list[Fault]:
    """Contradictions that types cannot see."""
    return [] if part is None else list(_check(part))


def _check(part: Stored) -> Iterator[Fault]:
    before = Decimal(0)
    for i, rung in enumerate(part.ladder):
        if rung.at_least <= before:
            yield Fault(f"stored.ladder.{i}.at_least", "stored_rungs_rise", figure=str(rung.at_least))
        before = rung.at_least
        if (rung.bonus is None) == (rung.percent is None):
            yield Fault(f"stored.ladder.{i}", "stored_one_bonus", figure=str(rung.at_least))
        if part.most_balance and rung.at_least > part.most_balance:
            yield Fault(
                f"stored.ladder.{i}.at_least",
                "stored_out_of_reach",
                figure=str(rung.at_least),
                most=str(part.most_balance),
            )
    if part.most_balance and part.least > part.most_balance:
        yield Fault("stored.least", "stored_out_of_reach", figure=str(part.least), most=str(part.most_balance))


# ---- sentences of the member handbook ---------------------------------------------------------------------------------


def sentences(say: English) -> list[str]:
    part = say.charter.stored
    if part is None:
        return []
    return _chinese(say, part) if say.code == "zh" else _english(say, part)


def _chinese(say: English, part: Stored) -> list[str]:
    told = []
    if part.least:
        told.append(f"每次储值至少 {say.money(part.least)}。")
    for rung in part.ladder:
        gift = f"{rung.percent:f}%" if rung.percent is not None else say.money(rung.bonus or Decimal(0))
        told.append(f"{'每充' if part.repeat and rung.bonus else '一次充满'} {say.money(rung.at_least)} 送 {gift}。")
    if len(part.ladder) > 1:
        told.append("只按达到的最高一档赠送。")
    if part.most_balance:
        told.append(f"每位会员的储值本金余额不超过 {say.money(part.most_balance)}。")
    told.append("本金永不过期。")
    if part.ladder:
        told.append(f"赠送金额 {part.bonus_months} 个月后失效。" if part.bonus_months else "赠送金额不会过期。")
    told.append(
        {
            "principal_first": "付款时先用本金，用完再用赠送金额。",
            "bonus_first": "付款时先用赠送金额（先到期的先用），用完再用本金。",
            "proportion": "付款时按本金与赠送金额的余额比例使用，分位按最大余数分配。",
        }[part.order]
    )
    told.append("退货时，储值支付的部分按原用的各笔本金与赠送金额退回。")
    if part.ladder and part.bonus_months:
        told.append(f"退回的赠送金额已过期的，可再用 {part.returned_grace_days} 天。")
    if not part.refund.allowed:
        told.append("储值不办理退款，法律另有规定的除外。")
    else:
        told.append(
            "未用完的本金可以随时退还；"
            + {
                "proportion": "同一次储值所得、尚未使用的赠送金额按退还本金占其剩余本金的比例收回。",
                "all": "同一次储值所得、尚未使用的赠送金额全部收回。",
                "none": "赠送金额保留。",
            }[part.refund.bonus]
        )
    if part.cards.most:
        told.append(f"每张礼品卡面值不超过 {say.money(part.cards.most)}。")
    if part.cards.months:
        told.append(f"礼品卡自售出起 {part.cards.months} 个月内有效；过期后余额不作废，可到店续期。")
    else:
        told.append("礼品卡不设有效期。")
    return told


def _english(say: English, part: Stored) -> list[str]:
    told = []
    if part.least:
        told.append(f"A top-up is at least {say.money(part.least)}.")
    for rung in part.ladder:
        gift = f"{rung.percent:f}%" if rung.percent is not None else say.money(rung.bonus or Decimal(0))
        start = "For every" if part.repeat and rung.bonus else "Whoever pays in at least"
        told.append(
            f"{start} {say.money(rung.at_least)} paid in at once, {gift} are added."
            if start == "For every"
            else f"{start} {say.money(rung.at_least)} at once gets {gift} on top."
        )
    if len(part.ladder) > 1:
        told.append("Only the highest step reached counts.")
    if part.most_balance:
        told.append(f"One member can have at most {say.money(part.most_balance)} of paid money stored.")
    told.append("Money paid in never lapses.")
    if part.ladder:
        told.append(
            f"The bonus lapses after {part.bonus_months} months." if part.bonus_months else "The bonus does not lapse."
        )
    told.append(
        {
            "principal_first": "A purchase uses money paid in first, then the bonus.",
            "bonus_first": "A purchase uses the bonus first (what lapses soonest first), then money paid in.",
            "proportion": "A purchase uses money paid in and bonus in proportion to what is left of each, to the cent by largest "
            "remainder.",
        }[part.order]
    )
    told.append(
        "What stored value paid for goods that come back goes back to the very money and bonus it was taken from."
    )
    if part.ladder and part.bonus_months:
        told.append(f"Bonus that comes back after it lapsed can be used for another {part.returned_grace_days} days.")
    if not part.refund.allowed:
        told.append("Stored value is not paid out, except where the law says otherwise.")
    else:
        told.append(
            "Money paid in and not used is paid back on demand; "
            + {
                "proportion": "unused bonus that came with it is given up in proportion to what is left of that money.",
                "all": "all unused bonus that came with it is given up.",
                "none": "the bonus stays.",
            }[part.refund.bonus]
        )
    if part.cards.most:
        told.append(f"A gift card is worth at most {say.money(part.cards.most)}.")
    if part.cards.months:
        told.append(
            f"A gift card can be used for {part.cards.months} months after it was sold; what is left then is not lost, the shop "
            "renews the card."
        )
    else:
        told.append("Gift cards do not run out.")
    return told
