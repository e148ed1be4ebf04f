"""Why something about a coalition is refused: stable codes, with a sentence each."""

from __future__ import annotations

from shuke.kit.refusal import Refusal
from shuke.loyalty.actions.asking import REFUSALS as OF_BOOKS

REFUSALS = {
    "no_coalition": (
        "{merchant} is in no coalition now. Found one, or accept an invitation.",
        "{merchant} 目前不在任何积分联盟中。请先创建联盟或接受邀请。",
    ),
    "no_such_coalition": ("There is no such coalition.", "没有这个积分联盟。"),
    "not_founder": (
        "Only {founder}, who founded the coalition, can do this.",
        "只有联盟发起方 {founder} 可以这样做。",
    ),
    "in_another": (
        "{merchant} is in a coalition already. It leaves that one first.",
        "{merchant} 已在一个积分联盟中，须先退出。",
    ),
    "no_such_merchant": (
        "No merchant here is called “{name}”. Write the name exactly as they do.",
        "本系统中没有名为“{name}”的商家，请按其名称准确填写。",
    ),
    "number_invalid": ("A whole number is needed here, not {told}.", "这里须填整数，而不是“{told}”。"),
    "money_invalid": ("An amount of money is needed here, not {told}.", "这里须填金额，而不是“{told}”。"),
    "invited_already": ("{merchant} is invited or in the coalition already.", "{merchant} 已被邀请或已加入。"),
    "other_currency": (
        "The coalition counts in {currency}, {merchant} in {other}: they cannot settle.",
        "联盟以 {currency} 结算，{merchant} 使用 {other}，无法结算。",
    ),
    "not_invited": ("There is no open invitation for {merchant}.", "没有发给 {merchant} 的待处理邀请。"),
    "no_such_terms": (
        "There are no terms number {version} waiting for {merchant} to agree.",
        "没有待 {merchant} 确认的第 {version} 版结算条款。",
    ),
    "price_invalid": (
        "A price is 0 or more, with at most six decimals of a cent or fen: not {told}.",
        "单价须不小于 0，且不超过分的六位小数：{told} 不行。",
    ),
    "in_the_past": (
        "Prices can change from now on, not from {day}: what was earned keeps the price of its time.",
        "单价只能从现在起变更，不能从 {day} 起：已发生的积分按当时的单价结算。",
    ),
    "notice_too_short": (
        "Leaving needs {days} days of notice: not before {day}.",
        "退出须提前 {days} 天通知：最早 {day}。",
    ),
    "founder_stays": (
        "Who founded the coalition keeps its pool and cannot leave it. End the coalition instead.",
        "发起方保管资金池，不能单独退出。请改为结束联盟。",
    ),
    "leaving_already": ("{merchant} leaves on {day} already.", "{merchant} 已定于 {day} 退出。"),
    "pack_invalid": ("A pack has 1 to {most} points.", "每个积分包须为 1 至 {most} 分。"),
    "no_consent": (
        "Say how the member agreed (evidence): other merchants learn their number and balance.",
        "请填写会员同意的依据：其他商家会看到其联盟号与可用积分。",
    ),
    "linked_otherwise": (
        "This member takes part under another number already. Unlink them first.",
        "该会员已以另一联盟号加入，请先解除。",
    ),
    "number_taken": (
        "Another member here has this number: card {card}. If both are one person, merge them.",
        "本店已有会员（卡号 {card}）使用此联盟号。若为同一人，请先合并。",
    ),
    "code_refused": (
        "This code cannot be used: it was used, is older than {minutes} minutes, or comes from elsewhere. Ask for a new one.",
        "此关联码不可用：已使用、超过 {minutes} 分钟或不属于本联盟。请重新获取。",
    ),
    "not_linked": (
        "This member does not take part in the coalition. Link them first, with their consent.",
        "该会员尚未加入积分联盟。请征得同意后先关联。",
    ),
    "too_much_pooled": (
        "At this till at most {most} points of one member a day; {given} were spent today already.",
        "本店每位会员每天最多使用 {most} 联盟积分，今天已用 {given}。",
    ),
    "no_such_spend": ("There is no spend {ref} of coalition points here.", "本店没有联盟积分消费 {ref}。"),
    "not_over": (
        "Only what is over can be settled: {day} has not come yet.",
        "只能结算已结束的时段：{day} 尚未到来。",
    ),
    "closed_later": (
        "Everything before {day} is closed. Choose a later end.",
        "{day} 之前已全部结算。请选择更晚的截止时间。",
    ),
    "no_such_paper": (
        "This period has no file {name}. `files` of its statement names those there are.",
        "该期没有文件 {name}。结算单的 files 列出了全部文件。",
    ),
    "no_such_period": ("No period {number} was closed.", "没有第 {number} 期结算。"),
}


class CoalitionRefused(Refusal):
    """What was asked of a coalition cannot be done; `code` does not change."""

    sentences = REFUSALS


def sentence(code: str, figures: dict[str, int], ref: str, language: str = "en") -> str:
    """The sentence for a refusal that is remembered in the books."""
    told = {"ref": ref, "amount": 0, "available": 0, "left": 0, "most": 0, "given": 0} | figures
    return (REFUSALS | OF_BOOKS)[code][1 if language.startswith("zh") else 0].format(**told)
