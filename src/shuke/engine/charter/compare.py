"""What changes from one charter to the next, in the sentences of the handbook."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from shuke.engine.charter.describe import Section, describe
from shuke.engine.charter.document import Charter
from shuke.engine.charter.succession import heirs

ALIKE = 0.55  # from here on two sentences are one that was changed, below they are an old one and a new one


class Change(NamedTuple):
    """One sentence that is new, gone (`after` is ""), or says something else."""

    section: str
    title: str
    before: str
    after: str


def compare(old: Charter, new: Charter, language: str) -> list[Change]:
    """The differences, in the order of the handbook. Nothing else a member could read has changed."""
    before = {s.key: s for s in describe(old, language)}
    found: list[Change] = []
    told = describe(new, language)
    for section in told:
        if section.key == "tiers":
            found += [Change("tiers", section.title, "", sentence) for sentence in _heirs(old, new, language)]
        found += _section(before.get(section.key), section)
    kept = {s.key for s in told}
    found += [
        Change(s.key, s.title, sentence, "") for k, s in before.items() if k not in kept for sentence in s.sentences
    ]
    return found


def _heirs(old: Charter, new: Charter, language: str) -> Iterator[str]:
    """What becomes of members whose tier the new charter knows no more, or by another key."""
    spoken = "zh" if language.startswith("zh") else "en"
    was = {tier.key: getattr(tier.name, spoken) for tier in old.tiers}
    now = {tier.key: getattr(tier.name, spoken) for tier in new.tiers}
    for key, heir in heirs(old.tiers, new.tiers).items():
        if heir.how != "same":
            yield HEIRS[heir.how][spoken == "zh"].format(was=was[key], now=now[heir.key])


HEIRS = {
    "renamed": (
        "Members who have “{was}” have “{now}” from then on: it is the same tier.",
        "“{was}”会员从此为“{now}”会员，等级不变。",
    ),
    "merged": ("Members who have “{was}” have “{now}” from then on.", "“{was}”会员从此为“{now}”会员。"),
    "removed": (
        "There is no “{was}” any more: its members have “{now}”, or whatever higher tier their figures reach. If another tier shall "
        "take them over, name the former one there (`was`).",
        "不再有“{was}”：其会员成为“{now}”，达到更高等级条件的除外。如应由其他等级承接，请在那个等级写明“承接的原等级”（was）。",
    ),
}


def _section(old: Section | None, new: Section) -> list[Change]:
    was = [] if old is None else old.sentences
    gone = [s for s in was if s not in new.sentences]
    come = [s for s in new.sentences if s not in was]
    found: list[tuple[int, Change]] = []
    for sentence in come:
        alike = max(gone, key=lambda g: _likeness(g, sentence), default="")
        place = new.sentences.index(sentence)
        if alike and _likeness(alike, sentence) >= ALIKE:
            gone.remove(alike)
            found.append((place, Change(new.key, new.title, alike, sentence)))
        else:
            found.append((place, Change(new.key, new.title, "", sentence)))
    found += [(was.index(s), Change(new.key, new.title, s, "")) for s in gone]
    return [change for _, change in sorted(found, key=lambda f: f[0])]


def _likeness(a: str, b: str) -> float:
    """How alike two sentences are; the same name before the colon makes them one."""
    (left, sign, _), (right, other, _) = a.replace("：", ":").partition(":"), b.replace("：", ":").partition(":")
    if sign and other and left == right:
        return 1.0
    return SequenceMatcher(None, a, b).ratio()
