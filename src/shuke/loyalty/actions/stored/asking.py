"""What can be asked of stored value, and the answers."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from shuke.loyalty.actions.asking import KeyReused
from shuke.loyalty.actions.stored.refusals import StoredRefused, say

__all__ = ["KINDS", "MOST_MINUTES", "Answer", "Ask", "KeyReused", "done", "payload_of", "why_refused"]
KINDS = ("top_up", "spend", "hold", "capture", "release", "return", "withdraw", "adjust")
MOST_MINUTES = 24 * 60


class Ask(NamedTuple):
    """One request, of a member's stored value or of one gift card. `ref` names what it is about: of return the key of the
    payment (a spend or capture), of capture and release that of the hold."""

    key: str
    kind: str
    member_id: int | None = None
    amount: int = 0
    ref: str = ""
    minutes: int = 15  # hold: it times out after so many
    account: str = "principal"  # adjust: principal | bonus
    paid_by: str = ""  # top_up, withdraw: cash, wechat, alipay, card, bank …
    reason: str = ""
    card_id: int | None = None


class Answer(NamedTuple):
    """`code` is "" when it was done, else why it was refused. A replay gives the first answer again.

    Figures in minor units: amount, principal, bonus (what of each came or went), available (afterwards); for top_up also
    what was added as bonus, for withdraw what of it was given up (`forfeited`)."""

    key: str
    done: bool
    code: str
    figures: dict[str, int]
    replayed: bool = False


def payload_of(one: Ask) -> bytes:
    """Hash of what is asked, without who asks: a member may have been merged between a call and its repetition."""
    told = [one.kind, one.amount, one.ref, one.account if one.kind == "adjust" else "", one.paid_by]
    if one.kind == "hold":
        told.append(one.minutes)
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()


def why_refused(one: Ask, answer: Answer, currency: str, language: str = "en") -> str:
    return say(answer.code, {"amount": one.amount, "ref": one.ref} | answer.figures, currency, language)


def done(one: Ask, answer: Answer, currency: str) -> Answer:
    """The answer, or the refusal as an error, for those who asked one thing only."""
    if not answer.done:
        raise StoredRefused(answer.code, currency, **({"amount": one.amount, "ref": one.ref} | answer.figures))
    return answer
