"""What members told of themselves, as columns: age, gender, income, place, and the attributes a shop keeps.

Attributes marked as sensitive stay out: a profile must not be a way around the permission to see them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight import kpi, profiles
from shuke.engine.insight.profiles import Trait
from shuke.kit import clock
from shuke.members.models import AttributeKind, Member, MemberState
from shuke.shops.models import Merchant, Store

AGES = (18, 25, 35, 45, 55, 65)
OTHER = "*"
MOST_OPTIONS = 12
_TEXTS = ("gender", "income_band", "occupation", "province", "city", "acquired_by")
_COMMAS = re.compile("[,，、;；]")
_SEVERAL = "\x1f"
_TOPICS = {"gender": "who", "income_band": "who", "occupation": "who", "acquired_by": "habit"}


class Told(NamedTuple):
    members: np.ndarray  # living ones, ascending
    since: np.ndarray  # int32, days since joining
    traits: list[Trait]
    about: dict[str, dict[str, Any]]


def told(merchant: Merchant, day: date) -> Told:
    """All living members, whenever they joined."""
    kinds = list(AttributeKind.objects.filter(merchant=merchant, sensitive=False).order_by("id"))
    texts: dict[str, _Texts] = {name: _Texts() for name in (*_TEXTS, "home_store")}
    answers: dict[str, _Texts] = {kind.key: _Texts() for kind in kinds}
    members, born, joined = [], [], []
    rows = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).order_by("id")
    fields = ("id", "joined_at", "birth_year", "attributes", "home_store_id", *_TEXTS)
    for pk, joined_at, year, attributes, store, *values in rows.values_list(*fields).iterator(chunk_size=5_000):
        members.append(pk)
        joined.append(kpi.day_number(clock.day_of(joined_at, merchant.tz)))
        born.append(year or 0)
        texts["home_store"].add("" if store is None else str(store))
        for name, value in zip(_TEXTS, values, strict=True):
            texts[name].add(value.strip())
        for kind in kinds:
            answers[kind.key].add(_answer(attributes.get(kind.key)))
    since = np.maximum(kpi.day_number(day) - np.array(joined, np.int32), 0).astype(np.int32)
    traits: list[Trait] = []
    about: dict[str, dict[str, Any]] = {}

    def add(trait: Trait | None, topic: str, label: list[str] | None = None, names: list[str] | None = None) -> None:
        if trait is not None and len(trait.options) > 1 and trait.known().any():
            traits.append(trait)
            about[trait.key] = {"topic": topic, "label": label, "names": names}

    age = np.where(np.array(born) > 0, day.year - np.array(born, np.float64), np.nan)
    add(profiles.codes("age", _ages(), profiles.bands(age, AGES)), "who")
    stores = {str(pk): name for pk, name in Store.objects.filter(merchant=merchant).values_list("id", "name")}
    for name in ("gender", "income_band", "occupation", "province", "city", "home_store", "acquired_by"):
        trait = _by_frequency(name, texts[name])
        labels = [stores.get(one, one) for one in trait.options] if name == "home_store" and trait else None
        add(trait, _TOPICS.get(name, "place"), names=labels)
    for kind in kinds:
        add(_attribute(kind, answers[kind.key]), _topic(kind), [kind.label_zh, kind.label_en])
    return Told(np.array(members, np.int64), since, traits, about)


class _Texts:
    """A column of texts as numbers, so that a million of them stay small. 0: nothing was said."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {"": 0}
        self.code: list[int] = []

    def add(self, value: str) -> None:
        self.code.append(self.number.setdefault(value, len(self.number)))

    def are_lists(self) -> bool:
        """Whether many of the texts name several things."""
        held = np.bincount(self.code, minlength=len(self.number))
        lists = sum(int(held[code]) for value, code in self.number.items() if _COMMAS.search(value))
        return lists > 0.1 * (len(self.code) - int(held[0]))

    def parted(self) -> _Texts:
        """The same with every text's things in one order."""
        found = _Texts()
        texts = (_SEVERAL.join(sorted({one.strip() for one in _COMMAS.split(value)} - {""})) for value in self.number)
        to = [found.number.setdefault(text, len(found.number)) for text in texts]
        found.code = [to[code] for code in self.code]
        return found

    def column(self) -> tuple[list[str], np.ndarray]:
        return list(self.number), np.array(self.code, np.int32)


def _answer(value: Any) -> str:
    """One text per answer; several answers are parted by a sign nobody types."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _SEVERAL.join(sorted(str(one) for one in value))
    return str(value).strip()


def _topic(kind: AttributeKind) -> str:
    """What people need is a topic of its own; a shop says so in the attribute's name."""
    return "need" if "need" in kind.key.lower() or "需" in kind.label_zh else "who"


def _attribute(kind: AttributeKind, texts: _Texts) -> Trait | None:
    key, of = f"attribute:{kind.key}", AttributeKind.Type
    if kind.type == of.CHOICES:
        return _several(key, texts, kind.options)
    if kind.type == of.TEXT and texts.are_lists():
        return _several(key, texts.parted(), [])
    if kind.type == of.NUMBER:
        return _numbers(key, texts)
    if kind.type == of.DATE:
        return None
    if kind.type == of.CHOICE and kind.options:
        return _in_order(key, texts, [str(one) for one in kind.options])
    return _by_frequency(key, texts)


def _by_frequency(key: str, texts: _Texts) -> Trait | None:
    """The texts most members said, the rest together. None where nearly everybody says something else: that is no trait."""
    values, code = texts.column()
    count = np.bincount(code, minlength=len(values))
    count[0] = 0
    many = int(count.sum())
    if not many or (int((count > 0).sum()) > max(MOST_OPTIONS, many // 4)):
        return None
    top = [int(i) for i in np.lexsort((np.arange(count.size), -count)) if count[i]]
    return _in_order(key, texts, [values[i] for i in top[:MOST_OPTIONS]])


def _in_order(key: str, texts: _Texts, options: Iterable[str]) -> Trait:
    """These options in this order; whatever else was said together at the end."""
    wanted = list(options)
    values, code = texts.column()
    place = {value: i for i, value in enumerate(wanted)} | {"": -1}
    to = np.array([place.get(value, len(wanted)) for value in values], np.int16)
    found = to[code]
    return profiles.codes(key, wanted + ([OTHER] if (found == len(wanted)).any() else []), found)


def _several(key: str, texts: _Texts, options: list[Any]) -> Trait:
    values, code = texts.column()
    said = [set(value.split(_SEVERAL)) - {""} for value in values]
    weight = np.bincount(code, minlength=len(values))
    count: Counter[str] = Counter()
    for ones, times in zip(said, weight, strict=True):
        count.update({one: int(times) for one in ones})
    wanted = [str(one) for one in options] or [one for one, _times in count.most_common(MOST_OPTIONS)]
    table = np.array([[one in ones for one in wanted] for ones in said], np.float32)
    return profiles.several(key, wanted, table[code])


def _numbers(key: str, texts: _Texts) -> Trait | None:
    values, code = texts.column()
    number = np.array([_number(value) for value in values])[code]
    cuts = profiles.fifths(number)
    if not cuts:
        return None
    bounds = ["", *(f"{cut:g}" for cut in cuts), ""]
    options = [f"{low}..{high}" for low, high in pairwise(bounds)]
    return profiles.codes(key, options, profiles.bands(number, cuts))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _ages() -> list[str]:
    bounds = ["", *(str(age) for age in AGES), ""]
    return [f"{low}..{high}" for low, high in pairwise(bounds)]
