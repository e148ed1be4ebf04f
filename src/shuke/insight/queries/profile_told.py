"""What members told of themselves, as columns: age, gender, income, place, and the attributes a shop keeps.

Attributes marked as sensitive stay out: a profile must not be a way around the permission to see them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from shuke.engine.insight import kpi, profiles
from shuke.engine.insight.profiles import Trait
from shuke.insight.queries import coded
from shuke.insight.queries.coded import Texts
from shuke.insight.queries.order_columns import shop_days
from shuke.kit import bulk
from shuke.members.models import AttributeKind, MemberState
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
    attributes = "attributes::text" if bulk.is_postgres() else "attributes"
    listed = (
        "id",
        coded.seconds("joined_at"),
        "COALESCE(birth_year, 0)",
        "COALESCE(home_store_id, 0)",
        *_TEXTS,
        attributes,
    )
    sql = f"SELECT {', '.join(listed)} FROM members_member WHERE merchant_id = %s AND state = %s ORDER BY id"
    (members, joined_s, born, home), columns = coded.fetch(sql, [merchant.pk, MemberState.ACTIVE], 4, len(_TEXTS) + 1)
    texts = dict(zip(_TEXTS, columns, strict=False)) | {"home_store": _as_texts(home)}
    answers = _answers(columns[-1], kinds)
    joined = shop_days(joined_s, merchant.tz)
    since = np.maximum(kpi.day_number(day) - joined, 0).astype(np.int32)
    traits: list[Trait] = []
    about: dict[str, dict[str, Any]] = {}

    def add(trait: Trait | None, topic: str, label: list[str] | None = None, names: list[str] | None = None) -> None:
        if trait is not None and len(trait.options) > 1 and trait.known().any():
            traits.append(trait)
            about[trait.key] = {"topic": topic, "label": label, "names": names}

    age = np.where(born > 0, day.year - born.astype(np.float64), np.nan)
    add(profiles.codes("age", _ages(), profiles.bands(age, AGES)), "who")
    stores = {str(pk): name for pk, name in Store.objects.filter(merchant=merchant).values_list("id", "name")}
    for name in ("gender", "income_band", "occupation", "province", "city", "home_store", "acquired_by"):
        trait = _by_frequency(name, texts[name])
        labels = [stores.get(one, one) for one in trait.options] if name == "home_store" and trait else None
        add(trait, _TOPICS.get(name, "place"), names=labels)
    for kind in kinds:
        add(_attribute(kind, answers[kind.key]), _topic(kind), [kind.label_zh, kind.label_en])
    return Told(members, since, traits, about)


def _as_texts(numbers: np.ndarray) -> Texts:
    """Numbers as texts, in the order in which they come; 0 says nothing."""
    held, first, place = np.unique(numbers, return_index=True, return_inverse=True)
    order = np.argsort(np.where(held == 0, -1, first))
    turn = np.empty(held.size, np.int32)
    turn[order] = np.arange(held.size)
    unsaid = int(not (held == 0).any())
    return Texts([*[""] * unsaid, *(str(one) if one else "" for one in held[order].tolist())], turn[place] + unsaid)


def _answers(said: Texts, kinds: Sequence[AttributeKind]) -> dict[str, Texts]:
    """Of each kind what members answered. Each text of attributes is read once, however many have the same."""
    known = [json.loads(text) if text else {} for text in said.values]
    found = {}
    for kind in kinds:
        number = {"": 0}
        to = [number.setdefault(_answer(told.get(kind.key)), len(number)) for told in known]
        found[kind.key] = Texts(list(number), np.array(to, np.int32)[said.code])
    return found


def _are_lists(texts: Texts) -> bool:
    """Whether many of the texts name several things."""
    held = np.bincount(texts.code, minlength=len(texts.values))
    lists = sum(int(many) for value, many in zip(texts.values, held, strict=True) if _COMMAS.search(value))
    return lists > 0.1 * (texts.code.size - int(held[0]))


def _parted(texts: Texts) -> Texts:
    """The same with every text's things in one order."""
    number = {"": 0}
    told = (_SEVERAL.join(sorted({one.strip() for one in _COMMAS.split(value)} - {""})) for value in texts.values)
    to = [number.setdefault(text, len(number)) for text in told]
    return Texts(list(number), np.array(to, np.int32)[texts.code])


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


def _attribute(kind: AttributeKind, texts: Texts) -> Trait | None:
    key, of = f"attribute:{kind.key}", AttributeKind.Type
    if kind.type == of.CHOICES:
        return _several(key, texts, kind.options)
    if kind.type == of.TEXT and _are_lists(texts):
        return _several(key, _parted(texts), [])
    if kind.type == of.NUMBER:
        return _numbers(key, texts)
    if kind.type == of.DATE:
        return None
    if kind.type == of.CHOICE and kind.options:
        return _in_order(key, texts, [str(one) for one in kind.options])
    return _by_frequency(key, texts)


def _by_frequency(key: str, texts: Texts) -> Trait | None:
    """The texts most members said, the rest together. None where nearly everybody says something else: that is no trait."""
    values, code = texts
    count = np.bincount(code, minlength=len(values))
    count[0] = 0
    many = int(count.sum())
    if not many or (int((count > 0).sum()) > max(MOST_OPTIONS, many // 4)):
        return None
    top = [int(i) for i in np.lexsort((np.arange(count.size), -count)) if count[i]]
    return _in_order(key, texts, [values[i] for i in top[:MOST_OPTIONS]])


def _in_order(key: str, texts: Texts, options: Iterable[str]) -> Trait:
    """These options in this order; whatever else was said together at the end."""
    wanted = list(options)
    values, code = texts
    place = {value: i for i, value in enumerate(wanted)} | {"": -1}
    to = np.array([place.get(value, len(wanted)) for value in values], np.int16)
    found = to[code]
    return profiles.codes(key, wanted + ([OTHER] if (found == len(wanted)).any() else []), found)


def _several(key: str, texts: Texts, options: list[Any]) -> Trait:
    values, code = texts
    said = [set(value.split(_SEVERAL)) - {""} for value in values]
    weight = np.bincount(code, minlength=len(values))
    count: Counter[str] = Counter()
    for ones, times in zip(said, weight, strict=True):
        count.update({one: int(times) for one in ones})
    wanted = [str(one) for one in options] or [one for one, _times in count.most_common(MOST_OPTIONS)]
    table = np.array([[one in ones for one in wanted] for ones in said], np.float32)
    return profiles.several(key, wanted, table[code])


def _numbers(key: str, texts: Texts) -> Trait | None:
    values, code = texts
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
