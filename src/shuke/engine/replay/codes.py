"""Codes of coupons while the list runs: declared with it, claimed once or by many; who guesses waits."""

from __future__ import annotations

from datetime import datetime

from shuke.engine.checkout import codes, guessing
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
        for code in told:
            self.unique[code] = self.vouchers.make("", template, "", "batch", at, start, end)
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
