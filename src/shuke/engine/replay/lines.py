"""A list of events as JSON lines: read, checked, put into the order in which they happened."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shuke.kit import money

# event → (must be told, may be told)
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "join": ({"member"}, {"birthday"}),
    "invite": ({"member", "tier"}, set()),
    "tier": ({"member", "tier"}, {"until", "reason"}),
    "order": ({"member", "order", "paid"}, {"lines", "store", "platform", "channel", "freight", "discount", "done"}),
    "return": ({"order"}, {"amount", "whole", "id"}),
    "price": ({"basket"}, {"member"}),
    "redeem": ({"member", "points", "id"}, set()),
    "give_back": ({"member", "points", "redeem", "id"}, set()),
    "hold": ({"member", "points", "until", "id"}, set()),
    "capture": ({"member", "points", "hold", "id"}, set()),
    "release": ({"member", "hold", "id"}, set()),
    "transfer": ({"member", "to", "points", "id"}, set()),
    "adjust": ({"member", "points", "id"}, {"expires", "reason"}),
    "opening": ({"member", "points", "id"}, set()),
    "activity": ({"member", "activity", "id"}, set()),
    "growth": ({"member", "points", "id"}, set()),
    "reinstate": ({"member", "points", "id"}, set()),
    "membership": ({"member", "membership", "id"}, set()),
    "membership_end": ({"member", "membership", "id"}, set()),
    "clock": (set(), set()),
}
# Events of the charter's world whose engines do not run without a database yet. Refused by name, never passed over.
NOT_YET = (
    "coupon_issue", "coupon_claim", "coupon_redeem", "coupon_void", "draw", "gift", "referral", "top_up", "spend_value",
)  # fmt: skip
REQUESTS = {
    "redeem": "burn", "give_back": "return", "hold": "hold", "capture": "capture", "release": "release", "adjust": "adjust",
    "opening": "opening", "activity": "activity", "growth": "growth", "reinstate": "reinstate", "membership": "membership",
    "membership_end": "membership_end",
}  # fmt: skip
# At one moment facts of trade come before what is asked of the books; requests keep the order of the file.
_TURN = {"join": 0, "order": 1, "return": 2, "invite": 3, "tier": 3}

FAULTS = {
    "not_json": ("is no JSON object: {reason}", "不是 JSON 对象：{reason}"),
    "no_event": ("names no event (“event”) or no time (“at”).", "没有写明事件（event）或时间（at）。"),
    "no_such_event": ("knows no event {event}; there are: {known}.", "没有事件 {event}；可用的有：{known}。"),
    "event_not_supported": (
        "{event} needs an engine that does not run without a database yet; nothing was replayed. Remove the line, or ask the "
        "running Shuke.",
        "{event} 的引擎目前离不开数据库，未作任何重放。请删去该行，或在运行中的熟客里操作。",
    ),
    "missing_field": ("{event} needs {field}.", "{event} 缺少 {field}。"),
    "unknown_field": ("{event} has no field {field}.", "{event} 没有字段 {field}。"),
    "bad_field": ("{field} cannot be {given}.", "{field} 不能是 {given}。"),
    "unknown_member": ("member {member} has not joined by then.", "会员 {member} 此时尚未入会。"),
    "member_twice": ("member {member} joins twice.", "会员 {member} 重复入会。"),
    "unknown_order": ("there is no order {order} by then.", "此时没有订单 {order}。"),
    "order_twice": ("order {order} is told twice.", "订单 {order} 重复。"),
    "id_twice": ("the id {id} is used twice; a request needs its own.", "编号 {id} 重复，每个请求需有自己的编号。"),
    "product_changed": (
        "product {product} is of another category or brand than on line {other}.",
        "商品 {product} 的类目或品牌与第 {other} 行不同。",
    ),
    "lines_differ": (
        "the lines add up to {sum}, but {paid} was paid for goods.",
        "明细合计 {sum}，与实付 {paid} 不符。",
    ),
}


class LineFault(NamedTuple):
    """One thing wrong with the list: in which line, a stable code, what fills its sentence."""

    line: int
    code: str
    params: dict[str, str]

    def say(self, language: str = "en") -> str:
        english, chinese = FAULTS[self.code]
        words = (chinese if language.startswith("zh") else english).format(**self.params)
        return f"第 {self.line} 行：{words}" if language.startswith("zh") else f"Line {self.line}: {words}"


class LinesInvalid(ValueError):
    """The list cannot be replayed; `faults` are all that was found. Nothing was replayed."""

    code = "events_invalid"

    def __init__(self, faults: list[LineFault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f.say() for f in faults[:20]))


class Goods(NamedTuple):
    amount: int  # minor units
    category: str = ""
    product: str = ""
    brand: str = ""
    pieces_milli: int = 1000


class Line(NamedTuple):
    """One event, with everything of it that can be told. Amounts are minor units."""

    number: int
    event: str
    at: datetime
    member: str = ""
    id: str = ""
    points: int = 0
    ref: str = ""  # tier, activity, membership, hold, redeem, receiver
    until: datetime | None = None
    order: str = ""
    paid: int = 0
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

    @property
    def order_event(self) -> str:
        return f"order:{self.platform}:{self.store}:{self.order}"


def read(text: Iterable[str], zone: ZoneInfo, currency: str) -> list[Line]:
    """All events in the order they happened. Raises LinesInvalid with everything that is wrong."""
    faults: list[LineFault] = []
    found: list[Line] = []
    for number, raw in enumerate(text, 1):
        if not raw.strip() or raw.lstrip().startswith("//"):
            continue
        line = _Reader(number, zone, currency, faults).line(raw)
        if line is not None:
            found.append(line)
    places = {line.order: line.order_event for line in found if line.event == "order"}
    found.sort(key=lambda x: (x.at, _TURN.get(x.event, 4), _name(x, places), x.number))
    if not faults:
        found = _checked(found, faults)
    if faults:
        raise LinesInvalid(sorted(faults, key=lambda f: f.line))
    return found


def _name(line: Line, places: dict[str, str]) -> str:
    """Orders and returns of one moment stand in the order of their names, as in the books."""
    if line.event == "order":
        return line.order_event
    return f"{places.get(line.order, '')}:{line.id}" if line.event == "return" else ""


class _Reader:
    def __init__(self, number: int, zone: ZoneInfo, currency: str, faults: list[LineFault]) -> None:
        self.number, self.zone, self.currency, self.faults = number, zone, currency, faults

    def fault(self, code: str, **params: object) -> None:
        self.faults.append(LineFault(self.number, code, {k: str(v)[:80] for k, v in params.items()}))

    def line(self, raw: str) -> Line | None:
        try:
            told = json.loads(raw, parse_float=Decimal)
        except (json.JSONDecodeError, RecursionError) as error:
            self.fault("not_json", reason=getattr(error, "msg", "nested too deep"))
            return None
        if not isinstance(told, dict):
            self.fault("not_json", reason=type(told).__name__)
            return None
        event = told.pop("event", None)
        if not isinstance(event, str) or "at" not in told:
            self.fault("no_event")
            return None
        if event in NOT_YET:
            self.fault("event_not_supported", event=event)
            return None
        if event not in FIELDS:
            self.fault("no_such_event", event=event, known=", ".join(FIELDS))
            return None
        must, may = FIELDS[event]
        before = len(self.faults)
        for name in sorted(must - told.keys()):
            self.fault("missing_field", event=event, field=name)
        for name in sorted(told.keys() - must - may - {"at"}):
            self.fault("unknown_field", event=event, field=name)
        line = self._values(event, told)
        return line if len(self.faults) == before else None

    def _values(self, event: str, told: dict[str, Any]) -> Line:
        at = self.moment("at", told.get("at")) or datetime.min
        return Line(
            self.number,
            event,
            at,
            member=self.text(told, "member"),
            id=self.text(told, "id") or (f"return-{self.number}" if event == "return" else ""),
            points=self.whole(told, "points"),
            ref=next((self.text(told, n) for n in ("tier", "activity", "membership", "hold", "redeem", "to") if n in told), ""),
            until=self.moment("until", told.get("until")) if "until" in told else self.moment("expires", told.get("expires")) if "expires" in told else None,
            order=self.text(told, "order"),
            paid=self.amount(told, "paid") if event == "order" else self.amount(told, "amount"),
            freight=self.amount(told, "freight"),
            discount=self.amount(told, "discount"),
            goods=self.goods(told.get("lines", ())),
            store=self.text(told, "store") or "main",
            platform=self.text(told, "platform") or "pos",
            channel=self.text(told, "channel"),
            done=self.moment("done", told["done"]) if "done" in told else None,
            whole=told.get("whole") is True or (event == "return" and "amount" not in told),
            birthday=self.birthday(told["birthday"]) if "birthday" in told else None,
            basket=told.get("basket") if isinstance(told.get("basket"), dict) else None,
            reason=self.text(told, "reason"),
        )  # fmt: skip

    def moment(self, name: str, given: Any) -> datetime | None:
        """A day is its noon; a time without a zone is the shop's."""
        try:
            found = datetime.fromisoformat(given)
        except (TypeError, ValueError):
            self.fault("bad_field", field=name, given=given)
            return None
        if len(given) <= 10:
            found = found.replace(hour=12)
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(ZoneInfo("UTC"))

    def text(self, told: dict[str, Any], name: str) -> str:
        given = told.get(name, "")
        if (
            not isinstance(given, (str, int))
            or isinstance(given, bool)
            or len(str(given)) > 60
            or (name in told and not str(given))
        ):
            self.fault("bad_field", field=name, given=given)
            return ""
        return str(given)

    def whole(self, told: dict[str, Any], name: str) -> int:
        given = told.get(name, 0)
        if not isinstance(given, int) or isinstance(given, bool) or abs(given) > 10**12:
            self.fault("bad_field", field=name, given=given)
            return 0
        return given

    def amount(self, told: dict[str, Any], name: str) -> int:
        """Money in major units, as the charter has it: 268.50 or "268.50"."""
        if name not in told:
            return 0
        given = told[name]
        try:
            minor = money.parse(str(given), self.currency) if not isinstance(given, bool) else -1
        except (money.NotMoney, InvalidOperation):
            minor = -1
        if not 0 <= minor <= 10**15:
            self.fault("bad_field", field=name, given=given)
            return 0
        return minor

    def goods(self, given: Any) -> tuple[Goods, ...]:
        if not isinstance(given, (list, tuple)):
            self.fault("bad_field", field="lines", given=given)
            return ()
        found = []
        for one in given:
            if not isinstance(one, dict) or one.keys() - {"amount", "category", "product", "brand", "quantity"}:
                self.fault("bad_field", field="lines", given=one)
                continue
            quantity = one.get("quantity", 1)
            try:
                milli = int(Decimal(str(quantity)) * 1000)
            except InvalidOperation:
                milli = 0
            if milli <= 0:
                self.fault("bad_field", field="quantity", given=quantity)
            texts = [self.text(one, name) for name in ("category", "product", "brand")]
            if (texts[0] or texts[2]) and not texts[1]:
                self.fault("missing_field", event="lines", field="product")
            found.append(Goods(self.amount(one, "amount"), texts[0], texts[1], texts[2], milli))
        return tuple(found)

    def birthday(self, given: Any) -> tuple[int, int, bool] | None:
        """MM-DD, or LMM-DD by the moon."""
        text = str(given)
        lunar = text.startswith("L")
        month, _, day = text.lstrip("L").partition("-")
        if not (
            month.isdecimal() and day.isdecimal() and 1 <= int(month) <= 12 and 1 <= int(day) <= (30 if lunar else 31)
        ):
            self.fault("bad_field", field="birthday", given=given)
            return None
        return int(month), int(day), lunar


def _checked(lines: list[Line], faults: list[LineFault]) -> list[Line]:
    """What only the whole list shows: who is there by then, which orders, no id twice."""
    members: set[str] = set()
    orders: set[str] = set()
    ids: set[str] = set()
    goods: dict[str, tuple[str, str, int]] = {}

    def fault(line: Line, code: str, **params: object) -> None:
        faults.append(LineFault(line.number, code, {k: str(v)[:80] for k, v in params.items()}))

    for line in lines:
        if line.event == "join":
            if line.member in members:
                fault(line, "member_twice", member=line.member)
            members.add(line.member)
            continue
        for member in filter(None, (line.member, line.ref if line.event == "transfer" else "")):
            if member not in members:
                fault(line, "unknown_member", member=member)
        if line.event == "order":
            if line.order in orders:
                fault(line, "order_twice", order=line.order)
            orders.add(line.order)
            whole = sum(g.amount for g in line.goods)
            if line.goods and whole != line.paid:
                fault(line, "lines_differ", sum=whole, paid=line.paid)
            for good in line.goods:
                known = goods.setdefault(good.product, (good.category, good.brand, line.number))
                if good.product and known[:2] != (good.category, good.brand):
                    fault(line, "product_changed", product=good.product, other=known[2])
        elif line.event == "return" and line.order not in orders:
            fault(line, "unknown_order", order=line.order)
        if line.id:
            if line.id in ids:
                fault(line, "id_twice", id=line.id)
            ids.add(line.id)
    return lines
