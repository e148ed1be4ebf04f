"""A list of events as JSON lines: read and put into the order in which they happened. `checking` looks at it as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from shuke.engine.checkout.codes import plain
from shuke.engine.draws.terms import FORMAT, DrawInvalid, read_terms
from shuke.engine.replay.checking import checked
from shuke.engine.replay.fields import (
    FIELDS,
    NAMES,
    PAID_BY_CARD,
    SPECIAL,
    VALUE,
    Goods,
    Line,
    LineFault,
    LinesInvalid,
    Offered,
    Tenders,
    decimal_places,
)
from shuke.kit import clock, money, numbers, strict_json

# At one moment facts of trade come before what is asked of the books; requests keep the order of the file.
_TURN = {"join": 0, "partner": 0, "gift_offer": 0, "draw_offer": 0, "order": 1, "return": 2, "invite": 3, "tier": 3}
_REQUEST = 4
MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # the longest of each


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
    sold = {line.order: line for line in found if line.event == "order"}
    found.sort(key=lambda x: (x.at, *_turn(x, sold), x.number))
    if not faults:
        faults = checked(found, currency)
    if faults:
        raise LinesInvalid(sorted(faults, key=lambda f: f.line))
    return found


def _turn(line: Line, sold: dict[str, Line]) -> tuple[int, str]:
    """Orders and returns of one moment stand in the order of their names, as in the books. What a till priced happens in
    the order of the file: the next basket sees what it left."""
    order = sold.get(line.order)
    if order is not None and order.tenders is not None:
        return (_REQUEST, "") if line.event == "order" else (_REQUEST + 1, f"{order.order_event}:{line.id}")
    turn = _TURN.get(line.event, _REQUEST)
    if line.event == "order":
        return turn, line.order_event
    return turn, f"{order.order_event if order else ''}:{line.id}" if line.event == "return" else ""


class _Reader:
    def __init__(self, number: int, zone: ZoneInfo, currency: str, faults: list[LineFault]) -> None:
        self.number, self.zone, self.currency, self.faults = number, zone, currency, faults

    def fault(self, code: str, **params: object) -> None:
        self.faults.append(LineFault(self.number, code, {k: str(v)[:200] for k, v in params.items()}))

    def wrong(self, field: str, given: Any, wanted: str) -> None:
        self.fault("bad_field", field=field, given=str(given)[:60], wanted=wanted)

    def line(self, raw: str) -> Line | None:
        try:
            told = strict_json.read(raw, Decimal)
        except strict_json.NotRead as error:
            self.fault(error.code, field=error.figures.get("field", ""))
            return None
        if not isinstance(told, dict):
            self.fault("not_json")
            return None
        event = told.pop("event", None)
        if not isinstance(event, str) or "at" not in told:
            self.fault("no_event")
            return None
        if event not in FIELDS:
            self.fault("no_such_event", event=event[:60], known=", ".join(FIELDS))
            return None
        must, may = FIELDS[event]
        before = len(self.faults)
        for name in sorted(must - told.keys()):
            self.fault("missing_field", event=event, field=name)
        for name in sorted(told.keys() - must - may - {"at"}):
            self.fault("unknown_field", event=event, field=name[:60], known=", ".join(sorted(must | may | {"at"})))
        line = self._values(event, told)
        return line if len(self.faults) == before else None

    def _values(self, event: str, told: dict[str, Any]) -> Line:
        at = self.moment("at", told.get("at")) or datetime.min
        draw = event == "draw_offer"
        return Line(
            self.number,
            event,
            at,
            member=self.text(told, "member"),
            id=self.text(told, "id") or (f"return-{self.number}" if event == "return" else ""),
            points=self.whole(told, "points"),
            ref=next((self.text(told, n) for n in NAMES if n in told), ""),
            until=self._until(event, told),
            order=self.text(told, "order"),
            paid=self.amount(
                told,
                {"order": "paid", "partner": "per"}.get(event, "amount"),
                above=event in (*VALUE, *PAID_BY_CARD, "partner"),
            ),
            paid_told="paid" in told,
            freight=self.amount(told, "freight"),
            discount=self.amount(told, "discount"),
            goods=self.goods(told.get("lines", ())) if event == "order" else (),
            store=self.text(told, "store") or "main",
            platform=self.text(told, "platform") or "pos",
            channel=self.text(told, "channel"),
            done=self.moment("done", told["done"]) if "done" in told else None,
            whole=self.flag(told, "whole") or (event == "return" and not {"amount", "lines"} & told.keys()),
            birthday=self.birthday(told["birthday"]) if "birthday" in told else None,
            basket=self.part(told, "basket"),
            reason=self.text(told, "reason"),
            tenders=self.tenders(told["tenders"]) if "tenders" in told else None,
            back=self.back(told["lines"]) if event == "return" and "lines" in told else (),
            copies=self.whole(told, "count", least=1) if "count" in told else 1,
            wait=self.flag(told, "wait"),
            way=self.text(told, "way"),
            word=self.text(told, "word") if told.get("word") else "",
            code=self.text(told, "code"),
            late=self.flag(told, "late"),
            pool=self.flag(told, "pool"),
            members=self.members(told["members"]) if "members" in told else (),
            days=self.days(told["days"]) if "days" in told else (),
            codes=self.codes(told, "codes", at_till=event == "price") or self.codes(told, "cards"),
            price=self.amount(told, "price") if "price" in told else None,
            paid_out=self.flag(told, "paid_out"),
            spend=self.text(told, "spend") if event in ("card_give_back", "partner_return") else "",
            partner=self.partner(told) if "partner" in told else "",
            category=self.text(told, "category"),
            month_most=self.whole(told, "month_most", least=1) if "month_most" in told else None,
            offered=self.offered(told) if event == "gift_offer" else None,
            terms=self.draw(told) if draw else None,
            seed=self.seed(told.get("seed")) if draw else b"",
        )

    def _until(self, event: str, told: dict[str, Any]) -> datetime | None:
        if event == "gift_offer":
            return None
        name = "until" if "until" in told else "expires"
        return self.moment(name, told[name]) if name in told else None

    def moment(self, name: str, given: Any) -> datetime | None:
        """A day is its noon; a time without a zone is the shop's."""
        try:
            return clock.told(given, self.zone).astimezone(ZoneInfo("UTC"))
        except (TypeError, ValueError):
            self.wrong(name, given, "2026-01-31, 2026-01-31T18:00")
            return None

    def text(self, told: dict[str, Any], name: str) -> str:
        given = told.get(name, "")
        if (
            not isinstance(given, (str, int))
            or isinstance(given, bool)
            or len(str(given)) > 60
            or (name in told and not str(given))
        ):
            self.wrong(name, given, "“1 … 60”")
            return ""
        return str(given)

    def flag(self, told: dict[str, Any], name: str) -> bool:
        given = told.get(name, False)
        if not isinstance(given, bool):
            self.wrong(name, given, "true, false")
        return given is True

    def whole(self, told: dict[str, Any], name: str, *, least: int | None = None) -> int:
        given = told.get(name, 0)
        if not isinstance(given, int) or isinstance(given, bool) or abs(given) > 10**12:
            self.wrong(name, given, "1, 2, 3 …")
            return 0
        if least is not None and given < least:
            self.wrong(name, given, f"≥ {least}")
        return given

    def amount(self, told: dict[str, Any], name: str, *, above: bool = False) -> int:
        """Money in major units, as the charter has it: 268.50 or "268.50"."""
        if name not in told:
            return 0
        given = told[name]
        try:
            minor = money.parse(str(given), self.currency) if not isinstance(given, bool) else -1
        except (money.NotMoney, InvalidOperation):
            minor = -1
        if not int(above) <= minor <= 10**15:
            self.wrong(name, given, f"{self.currency} 268.50" + (" > 0" if above else " ≥ 0"))
            return 0
        return minor

    def part(self, told: dict[str, Any], name: str) -> dict[str, Any] | None:
        given = told.get(name)
        if name in told and not isinstance(given, dict):
            self.wrong(name, given, "{…}")
            return None
        return given

    def goods(self, given: Any) -> tuple[Goods, ...]:
        if not isinstance(given, (list, tuple)):
            self.wrong("lines", given, "[{amount, product, category, brand, quantity}]")
            return ()
        found = []
        for one in given:
            if not isinstance(one, dict) or one.keys() - {"amount", "category", "product", "brand", "quantity"}:
                self.wrong("lines", one, "[{amount, product, category, brand, quantity}]")
                continue
            texts = [self.text(one, name) for name in ("category", "product", "brand")]
            if (texts[0] or texts[2]) and not texts[1]:
                self.fault("missing_field", event="lines", field="product")
            milli = self.quantity(one.get("quantity", 1))
            found.append(Goods(self.amount(one, "amount"), texts[0], texts[1], texts[2], milli))
        return tuple(found)

    def quantity(self, given: Any) -> int:
        """Thousandths."""
        try:
            told = Decimal(str(given)) if not isinstance(given, bool) else Decimal(0)
            if 0 < told <= 10**6 and decimal_places(told) <= 3:
                return int(told * 1000)
        except InvalidOperation:
            pass
        self.wrong("quantity", given, "1, 0.5, 0.125")
        return 1000

    def back(self, given: Any) -> tuple[tuple[int, int], ...]:
        found = []
        for one in given if isinstance(given, list) and given else [None]:
            if not isinstance(one, dict) or one.keys() - {"line", "quantity"} or "line" not in one:
                self.wrong("lines", one, "[{line: 1, quantity: 1}]")
                continue
            found.append((self.whole(one, "line", least=1), self.quantity(one.get("quantity", 1))))
        return tuple(found)

    def tenders(self, given: Any) -> Tenders:
        if not isinstance(given, dict) or given.keys() - set(Tenders._fields):
            self.wrong("tenders", given, "{points, stored_value, gift_cards, coupons, codes, best}")
            return Tenders()
        names: dict[str, list[str]] = {}
        for name in ("coupons", "gift_cards"):
            names[name] = given.get(name, [])
            if not isinstance(names[name], list) or not all(
                isinstance(c, str) and 0 < len(c) <= 60 for c in names[name]
            ):
                self.wrong(f"tenders.{name}", names[name], '["c1"]')
                names[name] = []
        points = -1 if given.get("points") == "most" else self.whole(given, "points", least=0)
        value = -1 if given.get("stored_value") == "most" else self.amount(given, "stored_value")
        coupons, cards = (tuple(dict.fromkeys(names[name])) for name in ("coupons", "gift_cards"))
        codes = self.codes(given, "codes", at_till=True)
        return Tenders(points, value, coupons, self.flag(given, "best"), cards, codes)

    def codes(self, told: dict[str, Any], name: str, *, at_till: bool = False) -> tuple[str, ...]:
        """Codes as the shop gives them out, at least four signs each. A till takes long numbers for those of coupons."""
        if name not in told:
            return ()
        given = told[name]
        found = given if isinstance(given, list) and given else [None]
        if not all(isinstance(code, str) and 4 <= len(plain(code)) <= 30 for code in found):
            self.wrong(name, given, '["SPRING20"], 4 … 30')
            return ()
        if at_till:
            found = list({plain(code): code for code in reversed(found)}.values())[::-1]
            if any(code.isdigit() and len(code) >= 14 for code in found):
                self.wrong(name, given, '["SPRING20"]')
        return tuple(found)

    def members(self, given: Any) -> tuple[str, ...]:
        found = given if isinstance(given, list) and given else [None]
        if not all(isinstance(name, str) and 0 < len(name) <= 60 for name in found):
            self.wrong("members", given, '["ann", "bo"]')
            return ()
        return tuple(found)

    def offered(self, told: dict[str, Any]) -> Offered:
        kind = told.get("kind", "goods")
        if kind not in ("goods", "coupon"):
            self.wrong("kind", kind, "goods, coupon")
        if kind == "coupon" and "template" not in told:
            self.fault("missing_field", event="gift_offer", field="template")
        tiers = told.get("tiers", [])
        if not isinstance(tiers, list) or not all(isinstance(t, str) for t in tiers):
            self.wrong("tiers", tiers, '["gold"]')
            tiers = []
        self.whole(told, "points", least=1)
        return Offered(
            self.whole(told, "points"),
            self.whole(told, "stock", least=0) if "stock" in told else None,
            self.whole(told, "per_member", least=1) if "per_member" in told else None,
            tuple(tiers),
            str(kind),
            self.text(told, "template"),
            self.moment("from", told["from"]) if "from" in told else None,
            self.moment("until", told["until"]) if "until" in told else None,
            self.whole(told, "hold_days", least=1) if "hold_days" in told else 7,
        )

    def draw(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """Terms as the draw's page has them, without what the shop adds."""
        given = self.part(told, "terms")
        if given is None:
            return None
        found: dict[str, Any] = json.loads(json.dumps(given, default=str))  # no number but integers stands in terms
        try:
            read_terms({**found, "format": FORMAT, "draw": str(told.get("draw", "")), "zone": str(self.zone)})
        except DrawInvalid as error:
            self.wrong("terms", error.code, error.say("en"))
        except (TypeError, ValueError) as error:
            self.wrong("terms", "…", str(error))
        return found

    def seed(self, given: Any) -> bytes:
        try:
            found = bytes.fromhex(given)
        except (TypeError, ValueError):
            found = b""
        if len(found) != 32:
            self.wrong("seed", given, "64 × 0 … f")
        return found

    def partner(self, told: dict[str, Any]) -> str:
        name = self.text(told, "partner")
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum() and len(name) <= 40):
            self.wrong("partner", name, "a … z, 0 … 9, - _")
        if "per" in told:
            self.whole(told, "points", least=1)
        return name

    def days(self, given: Any) -> tuple[tuple[str, int, int, bool], ...]:
        """All special days of a member, each as “wedding 05-20”; none: []."""
        found: list[tuple[str, int, int, bool]] = []
        for one in given if isinstance(given, list) else [None]:
            kind, _, on = str(one).partition(" ")
            if kind not in SPECIAL:
                self.wrong("days", one, '["wedding 05-20", "child L08-15", "other 11-11"]')
            elif (day := self.birthday(on)) is not None:
                found.append((kind, *day))
        return tuple(found)

    def birthday(self, given: Any) -> tuple[int, int, bool] | None:
        """MM-DD, or LMM-DD by the moon."""
        text = str(given)
        lunar = text.startswith("L")
        month, day = (numbers.whole(part) or 0 for part in text.removeprefix("L").partition("-")[::2])
        if not (1 <= month <= 12 and 1 <= day <= (30 if lunar else MONTHS[month - 1])):
            self.wrong("birthday", given, "MM-DD, LMM-DD")
            return None
        return month, day, lunar
