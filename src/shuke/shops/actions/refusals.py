"""Why something about the people of the shop is not done."""

from __future__ import annotations

from shuke.kit.refusal import Refusal

REFUSALS = {
    "no_such_person": (
        "Nobody here signs in as “{username}”. `shuke staff list` and the page “People” show who does.",
        "没有用户名为“{username}”的员工。可用 `shuke staff list` 或“员工”页面查看。",
    ),
    "username_wrong": (
        "“{username}” is no user name. Take up to 60 letters, digits, dots, hyphens or underscores, without spaces.",
        "“{username}”不能作为用户名。请用不超过 60 个字母、汉字、数字、点、连字符或下划线，不含空格。",
    ),
    "no_such_role": (
        "There is no role “{role}”. There are: {roles}.",
        "没有“{role}”这个角色。可选：{roles}。",
    ),
    "no_such_store": (
        "This shop has no store “{store}”. There are: {stores}.",
        "本店没有“{store}”这个门店。可选：{stores}。",
    ),
    "no_reason": (
        "Say why: every change of somebody's account is kept with its reason.",
        "请填写原因：员工账号的每次变动都会连同原因一起记录。",
    ),
    "not_allowed": (
        "Only an owner changes who works here and what they may do.",
        "只有店主可以变更员工及其权限。",
    ),
    "own_account": (
        "Nobody changes their own role, stores or account. Let another owner do it.",
        "不能变更自己的角色、门店或账号状态，请由另一位店主操作。",
    ),
    "last_owner": (
        "“{username}” is the last owner. Make somebody else an owner first; without one nobody could do this any more.",
        "“{username}”是最后一位店主。请先把另一位员工设为店主，否则再没有人能管理本店。",
    ),
    "changed_meanwhile": (
        "The account of “{username}” was changed meanwhile. Nothing was overwritten: look at it as it is now, then change it again.",
        "“{username}”的账号刚刚被他人修改过，没有覆盖任何内容。请查看最新状态后再修改。",
    ),
    "closed": (
        "The account of “{username}” is closed. Reopen it first.",
        "“{username}”的账号已停用，请先重新启用。",
    ),
    "closed_already": ("The account of “{username}” is closed already.", "“{username}”的账号此前已停用。"),
    "open_already": ("The account of “{username}” is open already.", "“{username}”的账号此前已启用。"),
    "wrong_password": (
        "That is not your present password. Nothing was changed.",
        "当前密码不对，未作任何更改。",
    ),
    "same_password": (
        "That is the password you have. Choose another one.",
        "新密码与当前密码相同，请换一个。",
    ),
    "wrong_code": (
        "That code does not fit. Take the one your phone shows now, each only once, and look whether its clock is right; or take a recovery code.",
        "验证码不正确。请输入手机当前显示的验证码（每个只能用一次），并检查手机时间是否准确；也可以使用恢复码。",
    ),
    "no_factor": (
        "“{username}” signs in with a password alone: there is no second factor to change.",
        "“{username}”目前仅用密码登录，没有可更改的两步验证。",
    ),
    "not_begun": (
        "Begin again: there is nothing to confirm any more.",
        "没有待确认的设置，请重新开始。",
    ),
    "factor_asked": (
        "This shop asks everybody in your role for a second factor. Set up another phone instead of taking it away.",
        "本店要求您所在的角色使用两步验证，不能关闭；如需更换手机，请重新设置。",
    ),
    "no_such_rule": (
        "A second factor is asked of: {rules}. “{asked}” is none of these.",
        "两步验证的要求范围可选：{rules}，没有“{asked}”。",
    ),
    "not_your_post": (
        "You do not work at this store. Ask the owner to add it to yours.",
        "您不在这个门店任职，请联系店主添加。",
    ),
}


class StaffRefused(Refusal):
    """`code`: one of REFUSALS."""

    sentences = REFUSALS


class UsernameTaken(StaffRefused):
    """Somebody on this installation already signs in by that name."""

    sentences = {
        "username_taken": (
            "Somebody already signs in as “{username}”. Choose another name.",
            "用户名“{username}”已被使用，请换一个。",
        )
    }

    def __init__(self, username: str) -> None:
        super().__init__("username_taken", username=username)
