"""Why something about coupons is refused: stable codes, with a sentence each."""

from __future__ import annotations

from shuke.kit.refusal import Refusal
from shuke.loyalty.actions.asking import OWN_ACCOUNT

REFUSALS = {
    "own_account": OWN_ACCOUNT,
    "template_invalid": ("The template is not valid: {problem}", "券模板有误：{problem}"),
    "no_such_coupon": ("There is no coupon {coupon}.", "没有券 {coupon}。"),
    "no_such_batch": ("There is no batch of codes {batch}.", "没有这一批券码：{batch}。"),
    "no_such_template": ("There is no coupon template {key}.", "没有券模板 {key}。"),
    "template_of_charter": (
        "Template {key} stands in the charter; change it there and publish.",
        "券模板 {key} 写在章程中，请在章程里修改并发布。",
    ),
    "paused": ("Template {key} is paused; nothing more is issued.", "券模板 {key} 已暂停发放。"),
    "all_issued": (
        "Of {key} at most {most} can be issued; {left} are left.",
        "{key} 最多发放 {most} 张，还剩 {left} 张。",
    ),
    "member_has_enough": (
        "This member had {have} of {key}; at most {most} for one member.",
        "该会员已领过 {have} 张 {key}，每人最多 {most} 张。",
    ),
    "not_claimable": ("{key} cannot be claimed by members themselves.", "{key} 不支持自行领取。"),
    "window_over": ("{key} could be used until {day} only; nothing more is issued.", "{key} 的有效期已于 {day} 结束，不再发放。"),
    "below_spent": (
        "{key}: {field} would be below what is used already ({used}).",
        "{key}：{field} 低于已使用的数量（{used}）。",
    ),
    "code_taken": ("The code {told} exists already; choose another.", "券码 {told} 已存在，请换一个。"),
    "code_too_short": ("A shared code has 4 to 30 letters and digits.", "通用码须为 4 至 30 个字母或数字。"),
    "code_refused": ("This code cannot be used. Check it, or ask the shop.", "此券码不可用，请核对或联系店铺。"),
    "try_later": (
        "Too many codes were tried. Wait {minutes} minutes and try again.",
        "尝试次数过多，请 {minutes} 分钟后再试。",
    ),
    "changed_meanwhile": (
        "{by} saved version {version} of {key} after you had opened it. Nothing was overwritten. What you typed is still here; saving "
        "again makes it the newest version in place of theirs.",
        "您打开之后，{by} 已保存 {key} 第 {version} 版，没有覆盖任何内容。您填写的内容仍在；再次保存将以您的内容作为最新版。",
    ),
    "key_taken": ("There is a coupon {key} already. Give yours another key, or change that one.", "已有券 {key}。请换一个编码，或修改那张券。"),
    "too_many": ("A batch has 1 to {most} codes.", "每批 1 至 {most} 个码。"),
    "taken": (
        "Coupon {coupon} was used or held elsewhere at this moment.",
        "券 {coupon} 刚刚在别处被使用或冻结。",
    ),
    "budget_exhausted": ("The budget of {key} is used up.", "{key} 的预算已用完。"),
    "not_open": ("Coupon {coupon} is {state}; only an open one can be changed.", "券 {coupon} 状态为 {state}，只能处理未使用的券。"),
    "needs_codes": (
        "{key} has no codes; its coupons belong to members. Issue them to members, or make a template with `codes: unique`.",
        "{key} 不使用券码，券直接发给会员。请发给会员，或另建 `codes: unique`（一码一券）的模板。",
    ),
}  # fmt: skip


class CouponRefused(Refusal):
    """What was asked about coupons cannot be done. `code` is stable, `figures` fill the sentence."""

    sentences = REFUSALS
