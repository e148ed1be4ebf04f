"""What can be asked of the books, the answers, and why something is refused."""

from __future__ import annotations

import hashlib
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import ClassVar, NamedTuple

from shuke.kit.refusal import Refusal, Sentences, sentence

KINDS = (
    "burn", "return", "adjust", "opening", "hold", "capture", "release",
    "activity", "activity_undo", "growth", "reinstate", "membership", "membership_end",
)  # fmt: skip
LONGEST_KEY = LONGEST_REASON = 200
LONGEST_REWARD_KEY = 150  # of gifts, benefits and draws: the points they move are asked for under keys made of it
MOST = 10**12  # points or growth value of one request
# What these do is told by their effect, not by what was asked; old lots they leave alone.
BY_EFFECT = ("activity", "growth", "reinstate", "membership", "membership_end")


class Ask(NamedTuple):
    """One request. `ref` names what it is about: of return, capture, release and membership_end the key of the spend, hold
    or membership; of activity its kind; of activity_undo the key of the activity; of membership the charter's key of it; of growth "opening", or nothing.
    """

    key: str
    kind: str
    member_id: int
    amount: int = 0
    ref: str = ""
    until: datetime | None = None  # hold: when it times out
    expires_at: datetime | None = None  # adjust: own expiry
    reason: str = ""
    minutes: int = 0  # hold: instead of `until`, so long from now; sent again later it is the same request


class Answer(NamedTuple):
    """`code` is "" when it was done, else why it was refused. A replay gives the first answer again."""

    key: str
    done: bool
    code: str
    figures: dict[str, int]
    replayed: bool = False


REFUSALS = {
    "not_enough": (
        "Asked for {amount} points, available are {available}. Ask for less, or wait until pending points become available.",
        "需要 {amount} 积分，可用 {available}。请减少数量，或等待在途积分生效。",
    ),
    "frozen": (
        "This member is frozen: points can neither be spent nor set aside. Unfreeze the member first.",
        "该会员已冻结，积分不能使用或预留。请先解冻。",
    ),
    "same_member": ("Points cannot be given to the one who gives them.", "不能把积分转给自己。"),
    "no_transfers": (
        "The charter in force lets nobody hand points to others.",
        "现行章程不允许转赠积分。",
    ),
    "not_family": (
        "The charter lets points change hands within a family only, and these two are not in one.",
        "现行章程只允许家庭成员之间转赠积分，这两位会员不在同一家庭。",
    ),
    "too_much_today": (
        "At most {most} points may be given away in a day; {given} were given today already.",
        "每天最多可转赠 {most} 积分，今天已转赠 {given}。",
    ),
    "no_such_hold": (
        "There is no open hold {ref}; it was resolved or has timed out.",
        "没有未结的冻结 {ref}，它已处理或已超时。",
    ),
    "more_than_held": (
        "Hold {ref} set aside {held} points; {amount} cannot be captured.",
        "冻结 {ref} 共 {held} 分，无法扣除 {amount}。",
    ),
    "no_such_burn": ("There is no spend {ref} of this member.", "该会员没有消耗记录 {ref}。"),
    "more_than_burnt": (
        "Of spend {ref} {left} points can still be given back, not {amount}.",
        "消耗 {ref} 还可退回 {left} 分，不能退 {amount}。",
    ),
    "joins_once": (
        "Joining is told by the books themselves, once, when a member comes. Choose another activity.",
        "入会在会员加入时由系统自动记录一次，不能再次登记。请选择其他互动。",
    ),
    "no_such_activity": (
        "The charter in force gives nothing for the activity {ref}. Its section on taking part names those it knows.",
        "现行章程没有活动 {ref} 的规则。章程的“互动积分”一节列出了全部活动。",
    ),
    "no_such_doing": (
        "There is no activity {ref} of this member. Look at what was noted, and take the key from there.",
        "该会员没有登记过互动 {ref}。请查看已登记的互动，使用其中的键。",
    ),
    "undone_before": (
        "This activity was taken back before. If it did happen, note it anew.",
        "该互动此前已撤销。如确有其事，请重新登记。",
    ),
    "ticket_drawn": (
        "A ticket of a lucky draw was drawn for this activity, so it stays. Take its {amount} points back by hand, with the reason.",
        "该互动已用于一次抽奖，不能撤销。请手工扣回其 {amount} 积分并写明原因。",
    ),
    "not_yours_to_undo": (
        "Noted by somebody else, or on another day: whoever noted it takes it back on the same day, later an owner or manager does.",
        "并非您本人今天登记的互动：当天可由登记人撤销，此后请由店主或经理撤销。",
    ),
    "no_such_membership": (
        "There is no membership {ref}: the charter does not know it, or the member does not have it any more.",
        "没有付费会员 {ref}：章程中没有，或该会员已不再持有。",
    ),
    "more_than_lapsed": (
        "Of this member's points {lapsed} have lapsed recently enough to be given back, not {amount}.",
        "该会员近期过期、可恢复的积分为 {lapsed}，不能恢复 {amount}。",
    ),
    "not_positive": ("The amount must be above 0, not {amount}.", "数量必须大于 0，而不是 {amount}。"),
}


OWN_ACCOUNT = (
    "This is your own account, or that of your family: ask a colleague to do it.",
    "这是您自己或您家庭成员的账户，请由同事操作。",
)


class KeyReused(Refusal):
    """The same key was used before for something else."""

    sentences: ClassVar[Sentences] = {
        "key_reused": (
            "The key {key} was used before for another request. Use a new key for a new request.",
            "键 {key} 已用于另一请求，新请求请用新键。",
        )
    }

    def __init__(self, key: str) -> None:
        super().__init__("key_reused", key=key)


class NotAsked(Refusal):
    """A request that cannot be kept, on whichever database: `code` no_key | long_reason | too_many | own_account."""

    sentences: ClassVar[Sentences] = {
        "no_key": (
            "Every request needs a key of your own, of 1 to {most} characters, so that it can be sent again.",
            "每个请求都需要一个自定的键（1 至 {most} 个字符），以便重发。",
        ),
        "long_reason": (
            "A reason holds at most {most} characters; this one has {n}. Shorten it.",
            "原因最多 {most} 个字符，现有 {n} 个，请缩短。",
        ),
        "own_account": OWN_ACCOUNT,
        "too_many": (
            "One booking moves at most {most:,}, not {n:,}. Look whether another number was typed in its place.",
            "一次最多入账 {most:,}，而不是 {n:,}。请检查是否误填了别的号码。",
        ),
    }


def check_asked(key: str, reason: str = "", most: int = LONGEST_KEY, *, amount: int = 0) -> None:
    """SQLite would keep any length, and any program's mistake with it. Raises NotAsked."""
    if not key.strip() or len(key) > most:
        raise NotAsked("no_key", most=most)
    check_reason(reason)
    if abs(amount) > MOST:
        raise NotAsked("too_many", most=MOST, n=abs(amount))


def check_reason(reason: str) -> None:
    """Raises NotAsked: half a sentence is not what somebody wrote."""
    if len(reason) > LONGEST_REASON:
        raise NotAsked("long_reason", most=LONGEST_REASON, n=len(reason))


def payload_hash(one: Ask) -> bytes:
    """16 bytes of what is asked. They are kept for ever: the text under them is a JSON list and stays as it is."""
    kind, ref = quoted(one.kind), quoted(one.ref)
    until = f"{one.minutes} min" if one.minutes else one.until
    asked = f'[{kind}, {one.member_id}, {one.amount}, {ref}, "{until}", "{one.expires_at}"]'
    return hashlib.blake2b(asked.encode(), digest_size=16).digest()


def why_refused(one: Ask, answer: Answer, language: str = "en") -> str:
    """The sentence for a refusal: what, which, and what to do."""
    figures = {"amount": one.amount, "ref": one.ref, "available": 0, "held": 0, "left": 0, "lapsed": 0} | answer.figures
    return sentence(REFUSALS, answer.code, figures, language)
