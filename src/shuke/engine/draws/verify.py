"""Checking a published draw from its file alone: was the seed the promised one, is every outcome what it gives, is the list whole?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shuke.engine.draws.drawing import SEED_BYTES, Outcome, commitment, drawn, first_link, link, settle
from shuke.engine.draws.odds import Fit, fit
from shuke.engine.draws.terms import DrawInvalid, DrawTerms, canonical, read_terms
from shuke.kit.refusal import sentence

SENTENCES = {
    "terms": ("The terms are no draw: {what}", "抽奖规则无效：{what}"),
    "commitment": (
        "Seed and terms do not give the commitment that was published: seed or terms were changed after it.",
        "种子与规则算出的承诺值与公布的不同：公布之后种子或规则被改动过。",
    ),
    "seed": ("The seed is not 32 bytes in hexadecimal.", "种子不是 32 字节的十六进制数。"),
    "no_seed": (
        "The seed has not been revealed; outcomes cannot be computed yet. Everything else was checked.",
        "种子尚未公布，暂不能验算中奖结果；其余各项已检查。",
    ),
    "seed_early": ("The seed was revealed at {at}, before the draw closed at {closes}.", "种子于 {at} 公布，早于截止时间 {closes}。"),
    "committed_late": (
        "The commitment dates from {at}, after the first ticket ({first}).",
        "承诺值公布于 {at}，晚于第一张抽奖券（{first}）。",
    ),
    "ticket": ("Ticket {n} is not written as it must be.", "第 {n} 张券的格式不对。"),
    "number": ("Here ticket {n} was expected, not {number}: one is missing, doubled or out of order.", "此处应为第 {n} 张券，实为 {number}：有缺失、重复或乱序。"),
    "time": ("Ticket {n} dates from {at}, outside the draw's time.", "第 {n} 张券的时间 {at} 不在抽奖期内。"),
    "backwards": ("Ticket {n} dates from before the ticket in front of it.", "第 {n} 张券的时间早于前一张。"),
    "way": ("Ticket {n} was got by {way}, which the terms do not allow.", "第 {n} 张券的来源 {way} 不在规则之内。"),
    "drew": ("Ticket {n} drew “{should}”, but the list says “{said}”.", "第 {n} 张券应抽得“{should}”，名单写的是“{said}”。"),
    "won": ("Ticket {n} is due “{should}” by the stock rule, but the list says “{said}”.", "按库存规则第 {n} 张券应得“{should}”，名单写的是“{said}”。"),
    "link": ("The chain breaks at ticket {n}: it or one before it was changed after it was drawn.", "链条在第 {n} 张券处断开：该券或之前的券在抽出后被改动过。"),
    "head": ("The list ends at another link than the file states: tickets are missing at its end.", "名单末尾与文件所述的链尾不同：末尾有券缺失。"),
    "stock": ("“{prize}” was given {given} times, but there were only {stock}.", "“{prize}”发出 {given} 份，而总数只有 {stock}。"),
    "per_member": ("{who} has {count} tickets, more than {limit}.", "{who} 有 {count} 张券，超过上限 {limit}。"),
    "per_day": ("{who} has {count} tickets on {day}, more than {limit} a day.", "{who} 在 {day} 有 {count} 张券，超过每日上限 {limit}。"),
    "receipt": ("The receipt of ticket {n} is not in this list.", "名单中没有与第 {n} 张券的凭据相符的记录。"),
}  # fmt: skip
NEWS = {"no_seed"}  # told, but no fault


class Finding(NamedTuple):
    code: str
    ticket: int  # 0: of the draw as a whole
    params: Mapping[str, Any]

    def say(self, language: str) -> str:
        return sentence(SENTENCES, self.code, self.params, language)


class Verdict(NamedTuple):
    """`findings` lists everything found; `holds` says that nothing speaks against the draw."""

    draw: str
    tickets: int
    revealed: bool
    won: Mapping[str, int]
    fit: Fit | None
    head: str
    findings: list[Finding]

    @property
    def holds(self) -> bool:
        return all(f.code in NEWS for f in self.findings)


def verify(file: Any, receipts: Mapping[int, str] | None = None) -> Verdict:
    """Everything that can be said about a published file. `receipts`: ticket number → link (or its beginning) as a member
    was given it."""
    findings: list[Finding] = []

    def found(code: str, ticket: int = 0, **params: Any) -> None:
        findings.append(Finding(code, ticket, {"n": ticket, **params}))

    plain = file if isinstance(file, Mapping) else {}
    try:
        terms = read_terms(plain.get("terms"))
    except DrawInvalid as error:
        found("terms", what=str(error))
        return Verdict("", 0, False, {}, None, "", findings)
    committed = str(plain.get("commitment", ""))
    seed = _seed(plain, terms, committed, found)
    head, before = first_link(committed), terms.opens_at
    given: Counter[str] = Counter()
    drew: Counter[str] = Counter()
    by_member: Counter[str] = Counter()
    by_day: Counter[tuple[str, str]] = Counter()
    links: dict[int, str] = {}
    told = plain.get("tickets")
    tickets = told if isinstance(told, list) else []
    if tickets and str(plain.get("committed_at", "")) > str(_get(tickets[0], "at")):
        found("committed_late", at=plain.get("committed_at", ""), first=_get(tickets[0], "at"))
    for n, ticket in enumerate(tickets, 1):
        at = _moment(_get(ticket, "at"))
        word, who, way = str(_get(ticket, "word")), str(_get(ticket, "who")), str(_get(ticket, "way"))
        if at is None or not isinstance(_get(ticket, "number"), int):
            found("ticket", n)
            continue
        if ticket["number"] != n:
            found("number", n, number=ticket["number"])
        if not terms.opens_at <= at < terms.closes_at:
            found("time", n, at=ticket["at"])
        if at < before:
            found("backwards", n)
        if way not in terms.ways:
            found("way", n, way=way)
        before = at
        said = Outcome(str(_get(ticket, "drew")), str(_get(ticket, "won")))
        if seed is not None:
            should = drawn(terms, committed, seed, f"{ticket['number']}:{word}")
            if said.drew != should:
                found("drew", n, should=should or "–", said=said.drew or "–")
        if said.drew and terms.prize(said.drew) is None:
            found("drew", n, should="–", said=said.drew)
        elif said.won != (due := settle(terms, said.drew, given)):
            found("won", n, should=due or "–", said=said.won or "–")
        head = link(head, ticket["number"], word, who, str(ticket["at"]), way, said)
        if str(_get(ticket, "link")) != head:
            found("link", n)
            head = str(_get(ticket, "link"))  # go on from what is told, so that one break is one finding
        links[n] = head
        drew[said.drew] += 1
        given[said.won] += 1
        by_member[who] += 1
        by_day[who, at.astimezone(terms.zone).date().isoformat()] += 1
    if str(plain.get("head", head)) != head:
        found("head")
    _counts(terms, given, by_member, by_day, found)
    for number, receipt in (receipts or {}).items():
        if not receipt or not links.get(number, "").startswith(receipt.lower()):
            found("receipt", number)
    won = {p.key: given[p.key] for p in terms.prizes}
    judged = fit(terms, drew, len(tickets)) if seed is not None else None
    return Verdict(terms.draw, len(tickets), seed is not None, won, judged, head, findings)


def _seed(plain: Mapping[str, Any], terms: DrawTerms, committed: str, found: Any) -> bytes | None:
    if not plain.get("seed"):
        found("no_seed")
        return None
    try:
        seed = bytes.fromhex(str(plain["seed"]))
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        found("seed")
        return None
    if commitment(canonical(plain["terms"]), seed) != committed:
        found("commitment")
    revealed = _moment(plain.get("revealed_at"))
    if revealed is not None and revealed < terms.closes_at:
        found("seed_early", at=plain["revealed_at"], closes=plain["terms"]["closes_at"])
    return seed


def _counts(
    terms: DrawTerms, given: Counter[str], by_member: Counter[str], by_day: Counter[tuple[str, str]], found: Any
) -> None:
    for prize in terms.prizes:
        if prize.stock is not None and given[prize.key] > prize.stock:
            found("stock", prize=prize.key, given=given[prize.key], stock=prize.stock)
    if terms.per_member is not None:
        for who, count in sorted(by_member.items()):
            if count > terms.per_member:
                found("per_member", who=who, count=count, limit=terms.per_member)
    if terms.per_day is not None:
        for (who, day), count in sorted(by_day.items()):
            if count > terms.per_day:
                found("per_day", who=who, day=day, count=count, limit=terms.per_day)


def _get(ticket: Any, name: str) -> Any:
    return ticket.get(name, "") if isinstance(ticket, Mapping) else ""


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
