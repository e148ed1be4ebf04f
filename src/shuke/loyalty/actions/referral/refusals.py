"""Why nobody was bound, and other refusals, in both languages."""

from __future__ import annotations

from shuke.kit.refusal import Refusal

REFUSALS = {
    "off": (
        "The charter in force gives nothing for bringing friends. Add the part “referral” first.",
        "现行章程没有“推荐有礼”，请先在章程中添加 referral 部分。",
    ),
    "no_such_code": (
        "This is no code of any member. Look at it again, or open the link.",
        "没有会员使用这个推荐码，请核对或直接打开推荐链接。",
    ),
    "try_later": (
        "Too many wrong codes. Try again in {minutes} minutes.",
        "推荐码错误次数过多，请 {minutes} 分钟后再试。",
    ),
    "own_code": ("Nobody can bring themselves.", "不能自己推荐自己。"),
    "already_bound": (
        "This member was brought by somebody else already (card {card}); that holds for ever.",
        "该会员已由他人推荐（卡号 {card}），一经绑定不再更改。",
    ),
    "has_bought": (
        "This member has bought before and is no newcomer.",
        "该会员已有购买记录，不是新客。",
    ),
    "too_late": (
        "The code can be told for {days} days after joining; this member joined on {day}.",
        "入会后 {days} 天内可以填写推荐码；该会员于 {day} 入会。",
    ),
    "link_too_old": (
        "The link was opened more than {days} days ago. Open it again.",
        "打开链接已超过 {days} 天，请重新打开链接。",
    ),
    "no_such_referral": ("There is no such referral.", "没有这笔推荐。"),
    "decided": (
        "This referral was {decision} already, by {by}.",
        "这笔推荐已由 {by} 处理（{decision}）。",
    ),
    "no_reason": ("Say why: whoever asks has to be told.", "请填写理由，以便对会员说明。"),
    "own_case": (
        "Who took the referral in cannot decide about it. Let somebody else look at it.",
        "录入推荐的人不能自己审核，请由另一位同事处理。",
    ),
    "no_such_gift": ("There is no gift of a referral to hand over here.", "没有可发放的推荐礼品。"),
}


class ReferralRefused(Refusal):
    """`code` names the reason, for programs; the message is the English sentence."""

    sentences = REFUSALS
