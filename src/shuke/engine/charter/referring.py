"""What the charter says of members who bring friends 老带新: what both get, when, how often, and what is looked at twice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from shuke.engine.charter.faults import Fault
from shuke.engine.charter.parts import Amount, Count, Key, Name, Part

if TYPE_CHECKING:
    from shuke.engine.charter.sentences_en import English

Days = Annotated[int, Field(ge=0, le=3650)]
TITLES = {"zh": "推荐有礼", "en": "Bringing a friend"}


class ReferralReward(Part):
    """What one side gets. Several may stand together."""

    points: Count = 0
    growth: Count = 0
    coupon: Key | None = None  # template, of the charter or of the shop's list of coupons
    coupons: Annotated[int, Field(ge=1, le=50)] = 1
    gift: Name | None = None  # handed over at the counter
    gift_cost: Amount = Decimal(0)  # what it costs the shop


class ReferralStep(ReferralReward):
    """From so many friends on, each gives this. An honour is shown on the wall of honours from then on."""

    at_least: Annotated[int, Field(ge=1, le=100_000)] = 1
    honour: Name | None = None


class ReferralCaps(Part):
    """For how many friends the one who brings them is rewarded. The friends get theirs in any case."""

    per_month: Annotated[int, Field(ge=1, le=100_000)] | None = None  # calendar month in which it falls due
    per_member: Annotated[int, Field(ge=1, le=100_000)] | None = None  # ever


class ReferralWatch(Part):
    """What makes a person look before anything is paid."""

    contacts: bool = (
        True  # the same phone, e-mail or account as the one who brought them, or as another friend of theirs
    )
    addresses: bool = True
    devices: bool = True  # joined from one browser
    names: bool = True  # the same full name, as on payments
    rings: bool = True  # brought by somebody they brought, over any number of steps
    rush: Annotated[int, Field(ge=2, le=100_000)] | None = 10  # so many friends …
    rush_days: Annotated[int, Field(ge=1, le=365)] = 3  # … within so many days
    once_only: Annotated[int, Field(ge=2, le=100_000)] | None = 5  # of at least so many earlier friends …
    once_share: Annotated[int, Field(ge=1, le=100)] = 80  # … so many percent never came back …
    once_days: Annotated[int, Field(ge=1, le=3650)] = 90  # … within so many days of their first order


class Referring(Part):
    friend: ReferralReward = ReferralReward()  # the newcomer
    steps: Annotated[tuple[ReferralStep, ...], Field(max_length=20)] = ()  # the one who brings them
    link_days: Days = 30  # so long a visit by a link is remembered until the newcomer joins
    join_days: Days = 7  # so long after joining the code can still be told
    order_days: Days = 90  # within so many days after that the first order must be paid; 0: without end
    order: Literal["first", "any"] = "first"  # any: a later order may count where an earlier one does not
    min_amount: Amount = Decimal(0)  # paid for goods, less what came back
    pending_days: Days | None = None  # return window after payment; None: that of points
    on_refund: Literal["return", "keep"] = (
        "return"  # what becomes of a reward when the order comes back after it was paid
    )
    caps: ReferralCaps = ReferralCaps()
    budget: Annotated[int, Field(ge=1)] | None = None  # points for all members together
    watch: ReferralWatch = ReferralWatch()


def gives(reward: ReferralReward) -> bool:
    honour = reward.honour if isinstance(reward, ReferralStep) else None
    return bool(reward.points or reward.growth or reward.coupon or reward.gift or honour)


def check_referral(part: Referring | None) -> list[Fault]:
    """Contradictions that types cannot see."""
    return [] if part is None else list(_check(part))


def _check(part: Referring) -> Iterator[Fault]:
    if not gives(part.friend) and not part.steps:
        yield Fault("referral", "referral_gives_nothing")
    before = 0
    for i, step in enumerate(part.steps):
        if step.at_least <= before:
            yield Fault(f"referral.steps.{i}.at_least", "referral_steps_rise", figure=str(step.at_least))
        before = step.at_least
        if not gives(step):
            yield Fault(f"referral.steps.{i}", "referral_step_empty", figure=str(step.at_least))
    per = part.caps.per_month, part.caps.per_member
    if per[0] and per[1] and per[0] > per[1]:
        yield Fault("referral.caps.per_month", "referral_caps", month=str(per[0]), member=str(per[1]))
    least = max((r.points for r in (part.friend, *part.steps)), default=0)
    if part.budget is not None and part.budget < least:
        yield Fault("referral.budget", "referral_budget", budget=str(part.budget), points=str(least))


# ---- sentences of the member handbook ---------------------------------------------------------------------------------


def sentences(say: English) -> list[str]:
    part = say.charter.referral
    if part is None:
        return []
    return _chinese(say, part) if say.code == "zh" else _english(say, part)


def reward_words(say: English, reward: ReferralReward) -> str:
    """`100 points and the gift “mug”`."""
    chinese = say.code == "zh"
    unit = getattr(say.charter.points.name, say.code)
    told = []
    if reward.points:
        told.append(f"{reward.points} {unit}")
    if reward.growth:
        told.append(f"{reward.growth} 成长值" if chinese else f"{reward.growth} growth value")
    if reward.coupon:
        names = {c.key: getattr(c.name, say.code) for c in say.charter.selling.coupons}
        name = names.get(reward.coupon, reward.coupon)
        times = f" ×{reward.coupons}" if reward.coupons > 1 else ""
        told.append(f"优惠券“{name}”{times}" if chinese else f"the coupon “{name}”{times}")
    if reward.gift:
        told.append(f"礼品“{reward.gift.zh}”" if chinese else f"the gift “{reward.gift.en}”")
    if isinstance(reward, ReferralStep) and reward.honour:
        told.append(f"荣誉“{reward.honour.zh}”" if chinese else f"the honour “{reward.honour.en}”")
    return ("、" if chinese else ", ").join(told)


def _window(say: English, part: Referring) -> int:
    return say.charter.points.pending_days if part.pending_days is None else part.pending_days


def _chinese(say: English, part: Referring) -> list[str]:
    told = [
        "每位会员有自己的推荐链接、二维码和推荐码。好友须为从未购买的新客："
        f"打开链接后 {part.link_days} 天内入会，或在入会后 {part.join_days} 天内、首单之前报出推荐码；一人只能由一位会员推荐，以先绑定者为准。"
    ]
    least = f"，扣除退款与运费后满 {say.money(part.min_amount)}" if part.min_amount else ""
    within = f"在绑定后 {part.order_days} 天内付款的" if part.order_days else ""
    which = "首单" if part.order == "first" else "第一笔符合条件的订单"
    told.append(f"好友{within}{which}{least}，过了 {_window(say, part)} 天退货期仍未退货的，发放奖励。")
    if gives(part.friend):
        told.append(f"好友得 {reward_words(say, part.friend)}。")
    for i, step in enumerate(part.steps):
        start = "每推荐一位" if step.at_least == 1 and i == 0 else f"从第 {step.at_least} 位起，每推荐一位"
        honour = f"；达到第 {step.at_least} 位时登上荣誉墙" if step.honour else ""
        bare = step.model_copy(update={"honour": None})
        got = reward_words(say, bare)
        told.append(f"推荐人{start}得 {got or '荣誉“' + step.honour.zh + '”' if step.honour else got}{honour}。")
    if part.caps.per_month:
        told.append(f"推荐人每个自然月最多得 {part.caps.per_month} 位好友的奖励。")
    if part.caps.per_member:
        told.append(f"推荐人最多得 {part.caps.per_member} 位好友的奖励。")
    if part.budget:
        told.append(f"推荐奖励的积分总预算为 {part.budget}，发完为止。")
    told.append(
        "发放后该订单又退货、不再符合条件的，收回奖励。"
        if part.on_refund == "return"
        else "发放后该订单又退货的，奖励不收回。"
    )
    told.append("自己推荐自己、互相推荐，以及电话、地址、设备或姓名相同等异常情形，由店铺审核后再决定是否发放。")
    return told


def _english(say: English, part: Referring) -> list[str]:
    told = [
        "Every member has a link, a QR code and a short code. A friend is somebody who has never bought: they join within "
        f"{part.link_days} days after opening the link, or tell the code within {part.join_days} days after joining and before "
        "their first order. Nobody is brought by two: who came first counts."
    ]
    least = f" of at least {say.money(part.min_amount)} after refunds and without freight" if part.min_amount else ""
    which = "first order" if part.order == "first" else "first order that meets this"
    within = f", paid within {part.order_days} days after that," if part.order_days else ""
    told.append(
        f"Rewards are given when the friend's {which}{least}{within} is past its return window of {_window(say, part)} days "
        "and was not returned."
    )
    if gives(part.friend):
        told.append(f"The friend gets {reward_words(say, part.friend)}.")
    for i, step in enumerate(part.steps):
        start = "For each friend" if step.at_least == 1 and i == 0 else f"From friend {step.at_least} on, for each,"
        bare = step.model_copy(update={"honour": None})
        got = reward_words(say, bare) or (f"the honour “{step.honour.en}”" if step.honour else "")
        wall = f", and with friend {step.at_least} a place on the wall of honours" if step.honour else ""
        told.append(f"{start} whoever brought them gets {got}{wall}.")
    if part.caps.per_month:
        told.append(f"Whoever brings friends is rewarded for at most {part.caps.per_month} in a calendar month.")
    if part.caps.per_member:
        told.append(f"Whoever brings friends is rewarded for at most {part.caps.per_member} in all.")
    if part.budget:
        told.append(f"All these rewards together give at most {part.budget} points; then they end.")
    told.append(
        "If the order comes back after that, so that it no longer counts, the reward is taken back."
        if part.on_refund == "return"
        else "If the order comes back after that, the reward stays."
    )
    told.append(
        "Bringing oneself or one another, and the same phone, address, device or name, are looked at by the shop before "
        "anything is given."
    )
    return told
