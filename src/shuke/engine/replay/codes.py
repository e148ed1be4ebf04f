"""Codes of coupons while the list runs: declared with it, claimed or shown at the till; who guesses waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from shuke.engine.checkout import Coupon, codes, guessing
from shuke.engine.checkout.vouchers import is_over, validity
from shuke.engine.replay.fields import Line
from shuke.engine.replay.outcome import Answer
from shuke.engine.replay.vouchers import Voucher, Vouchers, claimed


class Codes:
    def __init__(self, vouchers: Vouchers) -> None:
        self.vouchers = vouchers
        self.shared: dict[str, str] = {}  # code → template
        self.unique: dict[str, Voucher] = {}
        self.brake = Brake()

    def make(self, line: Line) -> Answer:
        """A code that many share, or coupons of nobody's, each with a code of its own."""
        key, at, told = line.ref, line.at, [codes.plain(code) for code in line.codes]
        template = self.vouchers.template(key, at)
        if template is None:
            return Answer(False, "no_such_template", {"template": key})
        if template.codes == "none":
            return Answer(False, "needs_codes", {"template": key})
        if template.codes == "shared":
            self.shared |= dict.fromkeys(told, key)
            return Answer(True, did=[made(key, len(told))])
        count = self.vouchers.count(template)
        if code := count.why_none_issued(len(told)):
            return Answer(False, code, {"template": key})
        self.vouchers.counts[key] = count._replace(issued=count.issued + len(told))
        start, end = validity(template, at, self.vouchers.versions.last.zone)
        for code, name in zip(told, line.codes, strict=True):
            self.unique[code] = one = self.vouchers.make(name, template, "", "batch", at, start, end)
            self.vouchers.bearer.append(one)
        return Answer(True, did=[made(key, len(told))])

    def claim(self, line: Line) -> Answer:
        """As `flows.coupons.claim`: whoever told too many bad codes is not listened to for a while."""
        told, member, at = codes.plain(line.code), line.member, line.at
        if minutes := self.brake.minutes(member, at):
            return Answer(False, "try_later", {"told": line.code, "minutes": minutes})
        if told in self.shared:
            key = self.shared[told]
            answer = self.vouchers.issue(key, member, 1, "code", at, named=line.id)
            return answer if answer.done else Answer(False, answer.code, {"told": line.code})
        one = self.unique.get(told)
        if one is None or is_over(one.valid_until, at) or one.state != "open" or one.member not in ("", member):
            self.brake.bad(member, at)
            return Answer(False, "code_refused", {"told": line.code})
        if not one.member:
            self.vouchers.take(one, line.id, member, at)
        return Answer(True, did=[claimed(one.template.key, one.name)])

    # ---- at the till --------------------------------------------------------------------------------------------------

    def asked(self, told: Sequence[str], at: datetime) -> tuple[dict[str, Voucher | str], dict[str, str]]:
        """As `flows.checkout.pricing.look_up_codes`: of each code its coupon, or the template many share; why others are
        refused."""
        found: dict[str, Voucher | str] = {}
        refused: dict[str, str] = {}
        for code in told:
            plain = codes.plain(code)
            one = self.unique.get(plain)
            if self.brake.minutes(TILL, at):
                refused[code] = "try_later"
            elif plain in self.shared:
                found[code] = self.shared[plain]
            elif one is not None and one.state == "open" and not is_over(one.valid_until, at):
                found[code] = one
            else:
                refused[code] = "code_refused"
                self.brake.bad(TILL, at)
        return found, refused

    def in_hand(
        self, found: Mapping[str, Voucher | str], member: str, mine: Collection[Voucher], at: datetime
    ) -> tuple[list[Coupon], dict[str, str]]:
        """What these codes are to this member, who has `mine` in the basket already; and which are not for them."""
        told: list[Coupon] = []
        refused: dict[str, str] = {}
        for code, one in found.items():
            if isinstance(one, Voucher):
                if one.member not in ("", member):
                    refused[code] = "code_refused"
                elif one not in mine:
                    told.append(self.vouchers.for_till(one, code))
            elif (coupon := self._shared(code, one, member, at)) is not None:
                told.append(coupon)
            else:
                refused[code] = "code_refused"
        return told, refused

    def _shared(self, code: str, key: str, member: str, at: datetime) -> Coupon | None:
        """As the coupon it would become."""
        template = self.vouchers.template(key, at)
        if template is None or self.vouchers.why_not(key, member, 1, at) in ("all_issued", "member_has_enough"):
            return None
        start, end = validity(template, at, self.vouchers.versions.last.zone)
        return Coupon(code, key, start, end, "open", self.vouchers.count(template).budget_left(), template, f"~{code}")

    def turn_into(
        self, uses: dict[str, int], found: Mapping[str, Voucher | str], member: str, at: datetime
    ) -> dict[str, int] | None:
        """What a basket uses by number: whoever shows a shared code gets a coupon of their own. None: somebody was quicker."""
        shared = [key for ref in uses if isinstance(key := found.get(ref), str)]
        if any(self.vouchers.why_not(key, member, shared.count(key), at) for key in shared):
            return None
        keys = {ref: one if isinstance(one, str) else one.template.key for ref, one in found.items()}
        if shared and not self.vouchers.may_hold(uses, keys):
            return None
        numbers: dict[str, int] = {}
        for ref, amount in uses.items():
            one = found.get(ref)
            if isinstance(one, str):
                (name,) = self.vouchers.issue(one, member, 1, "code", at).did[0]["coupons"]
                one = self.vouchers.all[name]
            numbers[ref if one is None else one.number] = amount
        return numbers


TILL = "till"  # whoever stands there counts as one caller


class Brake:
    """Bad codes, of coupons and of gift cards."""

    def __init__(self) -> None:
        self.tries: list[tuple[datetime, str]] = []

    def bad(self, caller: str, at: datetime) -> None:
        self.tries.append((at, caller))

    def minutes(self, caller: str, at: datetime) -> int:
        everybody = [when for when, _ in reversed(self.tries)]
        mine = [when for when, who in reversed(self.tries) if who == caller]
        return guessing.minutes(guessing.free_again(mine, everybody, at), at)


def made(template: str, count: int) -> dict[str, object]:
    return {"kind": "coupon_codes", "template": template, "count": count}
