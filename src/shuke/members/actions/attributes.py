"""Custom attributes: what a shop wants to know about its members, typed (skin type, a child's size, income band)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction

from shuke.kit.refusal import Refusal
from shuke.members.models import AttributeKind, Member
from shuke.shops.models import Merchant

Type = AttributeKind.Type
_YES = {"yes", "y", "true", "1", "是", "有", "对"}
_NO = {"no", "n", "false", "0", "否", "无", "没有", "不"}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class BadAttribute(Refusal):
    """A value its attribute cannot hold. `key` and `value` say which and what; the sentence, what could stand there."""

    sentences = {
        code: (f"Attribute “{{key}}” cannot be “{{value}}”: it takes {english}.", f"属性“{{key}}”不能是“{{value}}”：{chinese}。")
        for code, english, chinese in (
            ("not_defined", "nothing yet: define the attribute first", "还没有这个属性，请先定义"),
            ("no_number", "a number such as 12 or 3.5", "须为数字，如 12 或 3.5"),
            ("no_day", "a day such as 2024-05-31", "须为日期，如 2024-05-31"),
            ("not_yes_or_no", "yes or no (是 or 否)", "须为是或否"),
            ("not_an_option", "one of {options}", "可选其一：{options}"),
            ("not_options", "any of {options}", "可选：{options}"),
        )
    }  # fmt: skip

    def __init__(self, code: str, key: str, value: Any, options: Sequence[str] = ()) -> None:
        self.key, self.value = key, value
        super().__init__(code, key=key, value=value, options=", ".join(options))


class BadDefinition(ValueError):
    """An attribute that cannot be defined so; the message says why."""


class Definition(NamedTuple):
    """A custom attribute to be kept from now on."""

    key: str
    type: str  # AttributeKind.Type
    label_zh: str = ""
    label_en: str = ""
    options: tuple[str, ...] = ()
    sensitive: bool = False


def define_attributes(*, merchant: Merchant, definitions: Sequence[Definition]) -> list[AttributeKind]:
    """Add attributes, or change label, options, type and sensitivity of known ones.

    Raises BadDefinition, and then nothing is changed: a choice without options, an unknown type, a new type that
    a value some member already has does not fit.
    """
    kinds = []
    for definition in definitions:
        if definition.type not in Type.values:
            raise BadDefinition(f"Attribute “{definition.key}”: the type must be one of {', '.join(Type.values)}.")
        if not definition.key.strip() or len(definition.key) > 40:
            raise BadDefinition(f"Attribute “{definition.key}”: the key must have 1 to 40 characters.")
        if definition.type in (Type.CHOICE, Type.CHOICES) and not definition.options:
            raise BadDefinition(f"Attribute “{definition.key}”: a choice needs at least one option to choose from.")
    with transaction.atomic():
        for definition in definitions:
            kind = AttributeKind.objects.filter(merchant=merchant, key=definition.key).first()
            if kind is None:
                kind = AttributeKind(merchant=merchant, key=definition.key)
            elif kind.type != definition.type or set(kind.options) - set(definition.options):
                _refuse_misfits(merchant, definition)
            kind.type, kind.options, kind.sensitive = definition.type, list(definition.options), definition.sensitive
            kind.label_zh = (definition.label_zh or kind.label_zh or definition.key)[:40]
            kind.label_en = (definition.label_en or kind.label_en or definition.key)[:40]
            kind.save()
            kinds.append(kind)
    return kinds


def _refuse_misfits(merchant: Merchant, definition: Definition) -> None:
    """Values already kept must fit the new definition too."""
    held = Member.objects.filter(merchant=merchant, attributes__has_key=definition.key)
    for member in held.only("card", "attributes").iterator():
        value = member.attributes[definition.key]
        try:
            fits = check(definition.key, definition.type, definition.options, value) == value
        except BadAttribute:
            fits = False
        if not fits:
            raise BadDefinition(
                f"Attribute “{definition.key}” cannot become {definition.type}: card {member.card} has “{value}” there. "
                "Change that value first, or define a new attribute."
            )


def set_attributes(*, merchant: Merchant, values: Mapping[int, Mapping[str, Any]]) -> None:
    """Set custom attributes of members (by id). None removes one. Raises BadAttribute, and then nothing is changed."""
    kinds = {kind.key: kind for kind in AttributeKind.objects.filter(merchant=merchant)}
    with transaction.atomic():
        members = list(Member.objects.filter(merchant=merchant, id__in=list(values)).select_for_update().order_by("id"))
        for member in members:
            for key, value in values[member.id].items():
                if value is None or value == "":
                    member.attributes.pop(key, None)
                    continue
                kind = kinds.get(key)
                if kind is None:
                    raise BadAttribute("not_defined", key, value)
                member.attributes[key] = check(key, kind.type, kind.options, value)
        Member.objects.bulk_update(members, ["attributes"], batch_size=500)


def take_texts(*, merchant: Merchant, told: Mapping[int, Mapping[str, str]]) -> dict[int, dict[str, Any]]:
    """What a file's texts mean under the merchant's definitions, by member.

    A key nobody defined defines itself as a text. A text that does not fit its type is left out: a file never
    breaks what the shop has decided an attribute to be.
    """
    kinds = {kind.key: kind for kind in AttributeKind.objects.filter(merchant=merchant)}
    unknown = sorted({key[:40] for texts in told.values() for key in texts} - set(kinds))
    if unknown:
        made = [AttributeKind(merchant=merchant, key=k, type=Type.TEXT, **_labels(k)) for k in unknown]
        AttributeKind.objects.bulk_create(made, ignore_conflicts=True)
        kinds.update((kind.key, kind) for kind in made)
    read: dict[int, dict[str, Any]] = {}
    for member, texts in told.items():
        values = read[member] = {}
        for key, text in texts.items():
            kind = kinds[key[:40]]
            try:
                values[kind.key] = check(kind.key, kind.type, kind.options, text)
            except BadAttribute:
                continue
    return read


# What the exports of platforms tell of a customer beside the profile.
_FROM_EXPORTS = {
    "tags": ("标签", "Tags"),
    "level": ("原等级", "Level elsewhere"),
    "youzan_level": ("有赞等级", "Youzan level"),
    "stored_value": ("原储值余额", "Stored value elsewhere"),
    "wechat_region": ("微信地域", "WeChat region"),
    "company": ("公司", "Company"),
}


def _labels(key: str) -> dict[str, str]:
    zh, en = _FROM_EXPORTS.get(key, (key, key))
    return {"label_zh": zh, "label_en": en}


def check(key: str, type: str, options: Sequence[str], value: Any) -> Any:
    """The value as it is stored (text, int or float, ISO day, bool, option, list of options). Raises BadAttribute."""
    text = str(value).strip()
    if type == Type.TEXT:
        return text
    if type == Type.NUMBER:
        try:
            number = float(text.replace(",", ""))
            if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
                raise ValueError
        except ValueError:
            raise BadAttribute("no_number", key, value) from None
        return int(number) if number == int(number) else number
    if type == Type.DATE:
        try:
            if isinstance(value, date):
                return value.strftime("%Y-%m-%d")
            found = _DAY.fullmatch(text)
            if not found:
                raise ValueError
            return date(*map(int, found.groups())).isoformat()
        except ValueError:
            raise BadAttribute("no_day", key, value) from None
    if type == Type.YES_NO:
        if text.casefold() in _YES:
            return True
        if text.casefold() in _NO:
            return False
        raise BadAttribute("not_yes_or_no", key, value)
    if type == Type.CHOICE:
        if text in options:
            return text
        raise BadAttribute("not_an_option", key, value, options)
    chosen = [str(v).strip() for v in value] if isinstance(value, list | tuple) else re.split(r"[,，;；、|]", text)
    chosen = [c.strip() for c in chosen if c.strip()]
    for choice in chosen:
        if choice not in options:
            raise BadAttribute("not_options", key, choice, options)
    return [option for option in options if option in chosen]
