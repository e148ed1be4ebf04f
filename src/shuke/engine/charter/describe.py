"""The charter as sentences, Chinese and English, exact enough that a member can compute their own points from it."""

from __future__ import annotations

from typing import NamedTuple

from shuke.engine.charter import describe_selling, referring, stored
from shuke.engine.charter.document import Charter
from shuke.engine.charter.earning import Earning
from shuke.engine.charter.sentences_en import English
from shuke.engine.charter.sentences_rights import TITLES, sentences
from shuke.engine.charter.sentences_zh import Chinese


class Section(NamedTuple):
    """A heading and its sentences."""

    key: str
    title: str
    sentences: list[str]


def describe(charter: Charter, language: str = "zh") -> list[Section]:
    """The member handbook's text: joining, earning, activities, points, tiers, growth value, memberships, review, returns, duties."""
    say = Chinese(charter) if language.startswith("zh") else English(charter)
    orders = [r for r in charter.earning if r.kind != "activity" and r.gives == "points"]
    activities = [r for r in charter.earning if r.kind == "activity" and r.gives == "points"]
    told = {
        "joining": [getattr(j, say.code) for j in charter.joining],
        "earning": [
            *_rules(say, orders, charter),
            say.base(),
            say.rounding(),
            *say.together(),
            *say.all_caps(),
        ],
        "activities": [say.rule(r) for r in activities],
        "points": [say.pending(), say.expiry(charter.points.expiry), say.value(), *say.handing(), *say.lapsed()],
        "tiers": [
            sentence
            for i, tier in enumerate(charter.tiers)
            for sentence in (say.tier(i), *(say.benefit(tier.name, b) for b in tier.benefits))
        ],
        "rights": sentences(say),
        "referral": referring.sentences(say),
        "selling": describe_selling.sentences(charter, say.code),
        "stored": stored.sentences(say),
        "growth": _growth(say, charter),
        "memberships": [say.membership(m) for m in charter.memberships],
        "review": [say.upgrade(), *say.reviews(), *say.protection(), say.fall(), *say.notice()],
        "returns": say.returns(),
        "duties": [getattr(d, say.code) for d in charter.duties],
    }
    titles = {
        "rights": TITLES[say.code],
        "referral": referring.TITLES[say.code],
        "selling": describe_selling.TITLES[say.code],
        "stored": stored.TITLES[say.code],
    } | say.titles
    return [Section(key, titles[key], said) for key, said in told.items() if said]


def _rules(say: English, rules: list[Earning], charter: Charter) -> list[str]:
    """Rules as they stand in the document; those of a group behind a sentence that only one of them counts."""
    found: list[str] = []
    for group in charter.points.groups:
        mine = [r for r in rules if r.group == group.key]
        if mine:
            found.append(say.group(group, mine))
    return [say.rule(r) for r in rules] + found


def _growth(say: English, charter: Charter) -> list[str]:
    """Said only where growth value decides something or fades."""
    rules = [r for r in charter.earning if r.gives == "growth"]
    if not rules and not say.growth_counts():
        return []
    return [*say.growth_base(), *(say.rule(r) for r in rules), *say.growth_loss()]
