"""What can stand in a list of events: every kind with its fields, what each line becomes, and what can be wrong with it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from shuke.kit import strict_json

# event → (must be told, may be told)
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "join": ({"member"}, {"birthday"}),
    "invite": ({"member", "tier"}, set()),
    "tier": ({"member", "tier"}, {"until", "reason"}),
    "order": (
        {"member", "order"},
        {"paid", "lines", "store", "platform", "channel", "freight", "discount", "done", "tenders"},
    ),
    "return": ({"order"}, {"amount", "whole", "lines", "id"}),
    "price": ({"basket"}, {"member", "codes"}),
    "redeem": ({"member", "points", "id"}, {"pool"}),
    "give_back": ({"member", "points", "redeem", "id"}, set()),
    "hold": ({"member", "points", "until", "id"}, set()),
    "capture": ({"member", "points", "hold", "id"}, set()),
    "release": ({"member", "hold", "id"}, set()),
    "transfer": ({"member", "to", "points", "id"}, set()),
    "adjust": ({"member", "points", "id"}, {"expires", "reason"}),
    "opening": ({"member", "points", "id"}, set()),
    "activity": ({"member", "activity", "id"}, set()),
    "activity_undo": ({"member", "told", "id"}, set()),
    "growth": ({"member", "points", "id"}, set()),
    "reinstate": ({"member", "points", "id"}, set()),
    "membership": ({"member", "membership", "id"}, set()),
    "membership_end": ({"member", "membership", "id"}, set()),
    "coupon_issue": ({"member", "template", "id"}, {"count"}),
    "coupon_codes": ({"template", "codes"}, set()),
    "coupon_claim": ({"member", "id"}, {"template", "code"}),
    "coupon_redeem": ({"member", "basket", "id"}, {"coupon", "code"}),
    "coupon_void": ({"coupon"}, {"reason"}),
    "top_up": ({"member", "amount", "id"}, set()),
    "spend_value": ({"member", "amount", "id"}, set()),
    "give_back_value": ({"member", "amount", "spend", "id"}, set()),
    "pay_out_value": ({"member", "amount", "id"}, set()),
    "card_make": ({"cards", "amount"}, {"price"}),
    "card_sell": ({"card", "id"}, set()),
    "card_redeem": ({"member", "card", "id"}, set()),
    "card_spend": ({"card", "amount", "id"}, set()),
    "card_give_back": ({"card", "spend", "amount", "id"}, set()),
    "card_void": ({"card"}, {"paid_out"}),
    "card_renew": ({"card", "until"}, set()),
    "gift_offer": (
        {"gift", "points"},
        {"stock", "per_member", "tiers", "kind", "template", "from", "until", "hold_days"},
    ),
    "gift": ({"member", "gift", "id"}, {"count", "wait"}),
    "gift_hand_over": ({"taken"}, set()),
    "gift_cancel": ({"taken"}, set()),
    "gift_return": ({"taken", "id"}, {"count"}),
    "draw_offer": ({"draw", "terms", "seed"}, set()),
    "draw": ({"member", "draw", "id"}, {"way", "word"}),
    "referral": ({"member", "by"}, set()),
    "partner": ({"partner", "points", "per"}, {"month_most"}),
    "partner_card": ({"member", "partner", "card"}, set()),
    "partner_spend": ({"partner", "card", "amount", "id"}, {"category"}),
    "partner_return": ({"partner", "card", "amount", "id"}, {"spend"}),
    "special_days": ({"member", "days"}, set()),
    "complaint": ({"member", "id"}, set()),
    "benefit": ({"member", "benefit", "id"}, {"store"}),
    "benefit_undo": ({"handed"}, {"late"}),
    "family": ({"family", "members"}, set()),
    "family_join": ({"family", "member"}, set()),
    "family_leave": ({"member"}, set()),
    "clock": (set(), set()),
}
REQUESTS = {
    "redeem": "burn", "give_back": "return", "hold": "hold", "capture": "capture", "release": "release", "adjust": "adjust",
    "opening": "opening", "activity": "activity", "activity_undo": "activity_undo", "growth": "growth", "reinstate": "reinstate", "membership": "membership",
    "membership_end": "membership_end",
}  # fmt: skip
SPECIAL = ("wedding", "child", "other")
VALUE = {"top_up": "top_up", "spend_value": "spend", "give_back_value": "return", "pay_out_value": "withdraw"}
PAID_BY_CARD = ("card_make", "card_spend", "card_give_back", "partner_spend", "partner_return")
# Where a line names something else: the first of these it has.
NAMES = (
    "card", "gift", "taken", "draw", "tier", "activity", "membership", "hold", "redeem", "to", "template", "coupon", "spend", "by",
    "benefit", "handed", "family", "partner", "told",
)  # fmt: skip

FAULTS = {
    "not_json": (
        "is no JSON object. Write one object per line, or begin the line with // to leave it out.",
        "不是 JSON 对象。每行写一个对象；不需要的行请以 // 开头。",
    ),
    "field_twice": strict_json.NotRead.sentences["field_twice"],
    "bad_text": strict_json.NotRead.sentences["bad_text"],
    "no_event": (
        "names no event (“event”) or no time (“at”). Add both.",
        "没有写明事件（event）或时间（at），请补上。",
    ),
    "no_such_event": ("knows no event {event}; there are: {known}.", "没有事件 {event}；可用的有：{known}。"),
    "missing_field": ("{event} needs {field}; add it.", "{event} 缺少 {field}，请补上。"),
    "unknown_field": (
        "{event} has no field {field}; it may have: {known}.",
        "{event} 没有字段 {field}；可用的有：{known}。",
    ),
    "bad_field": ("{field} cannot be {given}; it must be {wanted}.", "{field} 不能是 {given}；应为 {wanted}。"),
    "unknown_member": (
        "member {member} has not joined by then; put a join at an earlier time, or mend the name.",
        "会员 {member} 此时尚未入会；请加入更早的 join，或更正名称。",
    ),
    "member_twice": ("member {member} joins twice; leave one out.", "会员 {member} 重复入会，请删去一行。"),
    "unknown_order": (
        "there is no order {order} by then; mend the number or the time.",
        "此时没有订单 {order}，请更正单号或时间。",
    ),
    "order_twice": (
        "order {order} is told twice; give every order its own number.",
        "订单 {order} 重复，请为每笔订单使用不同的单号。",
    ),
    "id_twice": (
        "the id {id} is used twice; a request needs its own.",
        "编号 {id} 重复，每个请求需有自己的编号。",
    ),
    "product_changed": (
        "product {product} is of another category or brand than on line {other}; tell it the same everywhere.",
        "商品 {product} 的类目或品牌与第 {other} 行不同，请统一。",
    ),
    "lines_differ": (
        "the lines add up to {sum}, but {paid} was paid for goods; mend one of them.",
        "明细合计 {sum}，与实付 {paid} 不符，请更正其一。",
    ),
    "tenders_need_lines": (
        "an order with tenders is priced from its lines; add lines at their list price, and leave discount out.",
        "写明支付方式的订单按明细计价；请写出按原价的明细 lines，并删去 discount。",
    ),
    "no_such_line": (
        "order {order} has {count} lines, not {place}; count them from 1.",
        "订单 {order} 有 {count} 行明细，没有第 {place} 行；请从 1 数起。",
    ),
    "amount_twice": (
        "a return says one of amount, lines and whole; leave the others out.",
        "退货只写 amount、lines、whole 之一，请删去其余。",
    ),
    "template_or_code": (
        "a coupon is claimed by its template or by a code; tell one of them.",
        "领券请写 template 或 code 之一。",
    ),
    "coupon_or_code": (
        "a coupon is used by its name or by a code; tell one of them.",
        "用券请写 coupon 或 code 之一。",
    ),
    "codes_need_member": (
        "codes are looked up for a member; add member, or leave codes out.",
        "券码须配合会员使用；请写明 member，或删去 codes。",
    ),
    "offered_twice": ("{name} is offered twice; give each its own name.", "{name} 重复，请使用不同的名称。"),
    "not_offered": (
        "there is no {name} by then; put {event} at an earlier time, or mend the name.",
        "此时没有 {name}；请加入更早的 {event}，或更正名称。",
    ),
    "member_told_twice": (
        "a basket with member beside it has neither “member” nor gift cards of its own; leave them out.",
        "写明 member 时，购物篮内不能再写会员资料或礼品卡，请删去。",
    ),
}  # fmt: skip


class LineFault(NamedTuple):
    """One thing wrong with the list: in which line, a stable code, what fills its sentence."""

    line: int
    code: str
    params: dict[str, str]

    @property
    def field(self) -> str:
        return self.params.get("field", "")

    def say(self, language: str = "en") -> str:
        english, chinese = FAULTS[self.code]
        told = (chinese if language.startswith("zh") else english).format(**self.params)
        return f"第 {self.line} 行：{told}" if language.startswith("zh") else f"Line {self.line}: {told}"


class LinesInvalid(ValueError):
    """The list cannot be replayed; `faults` are all that was found. Nothing was replayed."""

    code = "events_invalid"

    def __init__(self, faults: list[LineFault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f.say() for f in faults[:20]))


class Goods(NamedTuple):
    """One line of an order. With tenders `amount` is at list price."""

    amount: int  # minor units
    category: str = ""
    product: str = ""
    brand: str = ""
    pieces_milli: int = 1000
    refunded: int = 0  # what came back of it, as far as goods were named


class Tenders(NamedTuple):
    """What an order is to be paid with beside money. −1: as much as can be used."""

    points: int = 0
    stored_value: int = 0  # minor units
    coupons: tuple[str, ...] = ()  # ids of coupons
    best: bool = False
    gift_cards: tuple[str, ...] = ()  # codes, in the order in which they pay
    codes: tuple[str, ...] = ()  # of coupons, as they are shown at the till


class Offered(NamedTuple):
    """A gift on the shelf."""

    points: int
    stock: int | None = None
    per_member: int | None = None
    tiers: tuple[str, ...] = ()
    kind: str = "goods"
    template: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None
    hold_days: int = 7
    active: bool = True


class Line(NamedTuple):
    """One event, with everything of it that can be told. Amounts are minor units."""

    number: int
    event: str
    at: datetime
    member: str = ""
    id: str = ""
    points: int = 0
    ref: str = ""  # what it names, see NAMES
    until: datetime | None = None
    order: str = ""
    paid: int = 0
    paid_told: bool = False
    freight: int = 0
    discount: int = 0
    goods: tuple[Goods, ...] = ()
    store: str = "main"
    platform: str = "pos"
    channel: str = ""
    done: datetime | None = None
    whole: bool = False
    birthday: tuple[int, int, bool] | None = None
    basket: dict[str, Any] | None = None
    reason: str = ""
    tenders: Tenders | None = None
    back: tuple[tuple[int, int], ...] = ()  # return: place of the line from 1, thousandths
    copies: int = 1
    wait: bool = False  # gift: set aside until it is handed over
    way: str = ""
    word: str = ""
    code: str = ""
    late: bool = False  # benefit_undo: by somebody who may do so after the charter's minutes
    price: int | None = None  # card_make: what a card is sold for, where that is not its value
    paid_out: bool = False  # card_void
    spend: str = ""  # card_give_back, partner_return: id of the payment
    partner: str = ""  # whose card it is
    category: str = ""
    month_most: int | None = None
    pool: bool = False  # redeem: the family helps
    members: tuple[str, ...] = ()
    days: tuple[tuple[str, int, int, bool], ...] = ()  # special_days: kind, month, day, by the moon
    codes: tuple[str, ...] = ()
    offered: Offered | None = None
    terms: dict[str, Any] | None = None  # of a draw
    seed: bytes = b""

    @property
    def order_event(self) -> str:
        return f"order:{self.platform}:{self.store}:{self.order}"


def decimal_places(given: Decimal) -> int:
    exponent = given.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 99
