"""What changes from one charter to the next, in the sentences of the handbook."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

from shuke.engine.charter.describe import Section, describe
from shuke.engine.charter.document import Charter

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
        found += _section(before.get(section.key), section)
    kept = {s.key for s in told}
    found += [
        Change(s.key, s.title, sentence, "") for k, s in before.items() if k not in kept for sentence in s.sentences
    ]
    return found


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
