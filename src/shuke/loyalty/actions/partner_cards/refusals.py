"""What cannot be done with a co-branded card or a row of its file, as sentences with codes that do not change."""

from __future__ import annotations

from shuke.kit.refusal import Refusal
from shuke.loyalty.models import CardLine

REFUSALS = {
    "no_such_programme": ("There is no card programme {key}.", "没有联名卡方案 {key}。"),
    "no_such_card": ("This member has no such card.", "该会员没有这张联名卡。"),
    "no_such_member": ("There is no such member here.", "没有该会员。"),
    "no_such_paper": (
        "This statement has no file {name}. `files` of the statement names those there are.",
        "该对账单没有文件 {name}。对账单的 files 列出了全部文件。",
    ),
    "no_such_file": ("There is no spend file {number}.", "没有编号为 {number} 的消费文件。"),
    "no_such_line": ("No spending with the number {number} waits for a member.", "没有编号为 {number} 的待认领消费。"),
    "no_such_statement": ("There is no statement {number}.", "没有第 {number} 期对账单。"),
    "no_charter": ("There is no charter yet: publish one, then points can be given.", "尚未发布章程：发布后才能发放积分。"),
    "send_again": ("Its rows are not kept here: send the very same file again, and it goes on.", "此处未保存该文件的行：请重新发送同一文件，即可继续。"),
    "undone_already": ("This file was taken back already.", "该文件此前已撤回。"),
    "not_taken": ("This file was not taken yet; discard it instead.", "该文件尚未入账，可直接放弃。"),
    "taken_already": ("This file was taken already; it can be taken back instead.", "该文件已入账，可改为撤回。"),
    "reversed_by": (
        "Other files say that spending of this one came back: take those back first ({files}).",
        "其他文件中有本文件消费的退货：请先撤回那些文件（{files}）。",
    ),
    "no_columns": (
        "{file}: no column was found for {missing}. Say which headers they have, or check the file.",
        "{file}：找不到 {missing} 对应的列。请指定表头，或检查文件。",
    ),
    "programme_invalid": (
        "A programme needs a short key of letters, digits and dashes, a name, and tokens that are hash or masked: {problem}.",
        "联名卡方案须有字母、数字、短横线组成的代号，名称，以及卡标识方式（hash 或 masked）：{problem}。",
    ),
    "terms_invalid": (
        "The terms cannot be: {problem}. Points and the amount they are for must be above 0, a price not below; rules are written "
        "5411,5812-5814=2; 6011=0, each category once.",
        "条款有误：{problem}。积分与对应金额须大于 0，单价不能为负；类别规则写作 5411,5812-5814=2; 6011=0，每个类别只出现一次。",
    ),
    "terms_month": (
        "After the first, terms begin on the first of a month, because the limit counts whole months. {day} is none.",
        "首版之后，条款须从某月 1 日起生效，因为上限按整月计算。{day} 不是 1 日。",
    ),
    "terms_late": (
        "Spending of {day} was taken already: terms hold only for what comes later.",
        "已有 {day} 的消费入账：条款只能对之后的消费生效。",
    ),
    "ends_early": (
        "Spending of {day} was taken already: the programme cannot end before.",
        "已有 {day} 的消费入账：方案不能早于此日结束。",
    ),
    "changed": (
        "Cards are bound under {key}: how cards are told apart stays. Make another programme.",
        "{key} 下已有绑卡，卡标识方式不能更改。请另建方案。",
    ),
    "clear_number": (
        "This is a card number in clear. Write it masked (622202******1234), or take the hash the partner gives: numbers are never kept here.",
        "这是完整卡号。请填写掩码卡号（622202******1234）或合作方提供的散列值：这里从不保存完整卡号。",
    ),
    "bad_token": (
        "“{value}” is no card token of this programme: it wants a hash, or first digits, stars and the last four.",
        "“{value}”不是该方案的卡标识：应为散列值，或前几位、星号与后四位。",
    ),
    "token_taken": (
        "Another member has this card already. If both are one person, merge them.",
        "此卡已绑定另一会员。若为同一人，请先合并。",
    ),
    "not_enrolled": ("No member has bound this card.", "没有会员绑定此卡。"),
    "ambiguous": (
        "Several members have bound a card that looks like this; nobody is guessed.",
        "多位会员绑定了相同掩码的卡，系统不作猜测。",
    ),
    "before_enrolment": ("Spent before the card was bound, or after it was taken out.", "消费发生在绑卡之前或解绑之后。"),
    "in_future": ("The day {value} has not come yet.", "日期 {value} 尚未到来。"),
    "no_agreement": ("On {value} there was no agreement with this partner.", "{value} 时与该合作方没有有效约定。"),
    "other_before": (
        "A row with this reference came before with another amount or card. If it was wrong, send a return for it.",
        "此流水号此前已有一行，但金额或卡不同。若原行有误，请发送退货行。",
    ),
    "no_original": (
        "What this gives back is in no file that was taken. Send the row again when the spending has come.",
        "找不到这笔退货对应的消费。请在消费入账后重新发送此行。",
    ),
    "other_card": ("What this gives back was paid with another card.", "这笔退货对应的消费用的是另一张卡。"),
    "too_much": ("More comes back than is left of the spending.", "退货金额超过该笔消费的剩余金额。"),
    "bad_kind": ("“{value}” is neither a purchase nor a return.", "“{value}”既不是消费也不是退货。"),
    "bad_money": ("“{value}” is no amount.", "“{value}”不是金额。"),
    "not_a_date": ("“{value}” is no date.", "“{value}”不是日期。"),
    "not_over": ("A statement closes what is over: {day} has not come.", "对账单只能结算已结束的时间：{day} 尚未到来。"),
    "closed_later": ("Everything before {day} is closed already.", "{day} 之前的已结算。"),
}  # fmt: skip
# The column of the file to look at, by what is wrong.
COLUMN_OF = {
    "clear_number": "token", "bad_token": "token", "before_enrolment": "spent_on", "in_future": "spent_on",
    "no_agreement": "spent_on", "not_a_date": "spent_on", "other_before": "reference", "no_original": "original",
    "other_card": "token", "too_much": "amount", "bad_money": "amount", "bad_kind": "kind",
}  # fmt: skip


class CardRefused(Refusal):
    """What was asked of a card programme cannot be done; `code` does not change."""

    sentences = REFUSALS


def why(line: CardLine, language: str) -> str:
    """Why a row was rejected, or waits."""
    return reason(line.code, line.value, language)


def reason(code: str, value: str, language: str) -> str:
    return REFUSALS[code][1 if language.startswith("zh") else 0].format(value=value)
