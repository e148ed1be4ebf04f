"""The charter as a form and back, made from the document's own model: a part that is added there can be edited here.

`tree` says what to show for a document that may be half done; `read_form` turns what was sent into a document again. A
place in the document is written as in the faults: `tiers.1.reach.at_least`. Blank means: as the default says.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shuke.engine.charter import labels
from shuke.engine.charter.document import Charter
from shuke.engine.charter.rights import KINDS

BASICS = "basics"  # the section of what stands alone at the top: name, currency
HIDDEN = {"shuke_charter"}
FEW = 5  # a part of so few fields shows them all
# Shown at once; what is not named here and as the default says is folded away.
FRONT = {
    "Points": {"name", "pending_days", "expiry", "value"},
    "Expiry": {"kind", "months", "to_month_end"},
    "Tier": {"key", "name", "multiplier", "reach", "benefits"},
    "Condition": {"measure", "at_least"},
    "Grading": {"window", "review", "grace_days", "fall"},
    "Window": {"kind", "months"},
    "Review": {"kind", "months"},
    "Earning": {"key", "name", "kind", "points", "per", "times"},
    "Selling": {"prices", "offers", "coupons", "points"},
    "Referring": {"friend", "steps", "min_amount", "pending_days", "caps"},
    "ReferralReward": {"points", "coupon", "gift"},
    "ReferralStep": {"at_least", "points", "coupon", "gift", "honour"},
    "Stored": {"order", "ladder", "most_balance", "bonus_months", "refund"},
    "PointsAsMoney": {"worth", "share", "most"},
    "Benefit": {"key", "name", "kind", "grants", "per", "cost"},
    "Plan": {"key", "name", "counts", "per", "steps", "repeat"},
    "Price": {"key", "name", "percent", "price"},
    "Offer": {"key", "name", "kind", "percent", "amount", "rungs"},
    "Coupon": {"key", "name", "kind", "percent", "amount", "valid", "limits"},
}
KNOWN = {"Benefit.kind": KINDS}  # a word of one's own is allowed; these are offered while one types


@dataclass(slots=True)
class Node:
    """One thing of the form. `kind`: text, number, date, yes_no, choice, words (several, by commas), part, maybe (a part
    that may be missing), pair (a text in both languages), list, odd (what no form can show; kept as it is)."""

    kind: str
    place: str
    label: str
    value: str = ""
    hint: str = ""
    choices: list[tuple[str, str]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)  # shown at once
    more: list[Node] = field(default_factory=list)  # folded away
    required: bool = False
    item: str = ""  # list: what one of it is called
    title: str = ""  # of one in a list: its name


def sections(language: str) -> list[tuple[str, str]]:
    """The parts of the document one by one, with their names."""
    found = [(BASICS, labels.field("Charter", BASICS, language))]
    for name, info in Charter.model_fields.items():
        if name not in HIDDEN and not _plain(info):
            found.append((name, labels.field("Charter", name, language)))
    return found


def _plain(info: FieldInfo) -> bool:
    """A field of the top that is no section of its own."""
    shape = _shape(info.annotation)
    return shape[0] not in ("part", "list", "maybe") or (shape[1].__name__ == "Name" and shape[0] == "part")


def tree(raw: Mapping[str, Any], section: str, language: str) -> Node:
    """What to show of one section of a document as it was read from YAML."""
    if section == BASICS:
        names = [n for n, info in Charter.model_fields.items() if n not in HIDDEN and _plain(info)]
        shown = [_node(Charter, n, raw.get(n), n, language) for n in names]
        return Node("part", "", labels.field("Charter", BASICS, language), nodes=shown)
    return _node(Charter, section, raw.get(section), section, language)


def _node(part: type[BaseModel], name: str, value: Any, place: str, language: str) -> Node:
    info = part.model_fields[name]
    label = labels.field(part.__name__, name, language)
    return _shown(part.__name__, name, info.annotation, value, place, label, language, info)


def _shown(
    part: str, name: str, annotation: Any, value: Any, place: str, label: str, language: str, info: FieldInfo | None
) -> Node:
    kind, inner = _shape(annotation)
    default = None if info is None or info.is_required() else info.get_default(call_default_factory=True)
    required = info is not None and info.is_required()
    if kind == "list":
        return _list(part, inner, value, place, label, language, required)
    if kind in ("part", "maybe"):
        if kind == "maybe" and value is None:
            return Node("maybe", place, label, required=required)
        if value is not None and not isinstance(value, Mapping):
            return Node("odd", place, label, json.dumps(value, ensure_ascii=False))
        told = {} if value is None else value
        if value is None and isinstance(default, BaseModel):
            told = default.model_dump(mode="json")
        found = _part(inner, told, place, label, language, "maybe" if kind == "maybe" else "part")
        found.required = required
        return found
    text = _text(value)
    hint = "" if default in (None, "", ()) else _text(default)
    choices: list[tuple[str, str]] = []
    if kind == "choice":
        choices = [(str(v), labels.choice(part, name, str(v), language)) for v in inner]
    elif f"{part}.{name}" in KNOWN:
        offered = KNOWN[f"{part}.{name}"].items()
        choices = [(key, zh if language.startswith("zh") else en) for key, (zh, en, _handed_out) in offered]
    elif kind == "yes_no":
        text = text or ("true" if default else "false")
    return Node(kind, place, label, text, hint, choices, required=required)


def _part(model: type[BaseModel], told: Mapping[str, Any], place: str, label: str, language: str, kind: str) -> Node:
    front = FRONT.get(model.__name__, set() if len(model.model_fields) > FEW else None)
    node = Node(kind, place, label)
    for name in model.model_fields:
        one = _node(model, name, told.get(name), f"{place}.{name}" if place else name, language)
        plain = _text(told.get(name))
        usual = told.get(name) in (None, "", [], {}) or plain == one.hint
        at_once = one.required or not usual or front is None or name in front
        (node.nodes if at_once else node.more).append(one)
    if model.__name__ == "Name":  # a pair of texts needs no box around it
        node.kind = "pair"
        for one in node.nodes:
            one.label = f"{label} · {one.label}"
    if model.__name__ == "Condition" and any(told.get(way) is not None for way in ("all", "any")):
        groups = [one for one in node.nodes if one.kind == "list"]  # a group has no measure of its own
        rest = [one for one in [*node.nodes, *node.more] if one not in groups]
        node.nodes, node.more = [*groups, *(one for one in rest if one.value)], [one for one in rest if not one.value]
    return node


def _list(part: str, inner: type[BaseModel], value: Any, place: str, label: str, language: str, required: bool) -> Node:
    item = labels.field(part, inner.__name__, language)
    node = Node("list", place, label, required=required, item=item)
    if value is None:
        return node
    if not isinstance(value, Sequence) or isinstance(value, str):
        return Node("odd", place, label, json.dumps(value, ensure_ascii=False))
    for n, told in enumerate(value):
        where = f"{place}.{n}"
        if not isinstance(told, Mapping):
            node.nodes.append(Node("odd", where, f"{n + 1}", json.dumps(told, ensure_ascii=False)))
            continue
        one = _part(inner, told, where, f"{n + 1}", language, "part")
        one.title = _title(told, n, language)
        node.nodes.append(one)
    return node


def _title(told: Mapping[str, Any], n: int, language: str) -> str:
    name = told.get("name", told)
    if isinstance(name, Mapping):
        found = name.get("zh" if language.startswith("zh") else "en") or name.get("zh") or name.get("en")
        if found:
            return str(found)
    return str(told.get("key") or n + 1)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(v) for v in value)
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return str(value)


# -- shapes of annotations ----------------------------------------------------------------------------------------------


def _shape(annotation: Any) -> tuple[str, Any]:
    """(kind, inner) of a field's type."""
    annotation = _bare(annotation)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = [_bare(a) for a in get_args(annotation) if a is not type(None)]
        kind, what = _shape(inner[0])
        return ("maybe", what) if kind == "part" else (kind, what)
    if origin is tuple:
        inner_kind, what = _shape(get_args(annotation)[0])
        return ("list", what) if inner_kind == "part" else ("words", what)
    if origin is Literal:
        return "choice", get_args(annotation)
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return "part", annotation
        if annotation is bool:
            return "yes_no", None
        if issubclass(annotation, (int, Decimal)):
            return "number", None
        if issubclass(annotation, date):
            return "date", None
    return "text", None


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


# -- what was sent ------------------------------------------------------------------------------------------------------


def read_form(section: str, sent: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Top-level parts as they were sent, ready to be put into the document; a part that is all blank is {} or []."""
    nested: dict[str, Any] = {}
    for place, value in sent:
        at = nested
        *above, last = place.split(".")
        for step in above:
            at = at.setdefault(step, {})
            if not isinstance(at, dict):
                break
        else:
            at[last] = value
    names = [n for n in Charter.model_fields if n not in HIDDEN]
    names = [n for n in names if _plain(Charter.model_fields[n])] if section == BASICS else [section]
    return {
        n: _sent(Charter.model_fields[n].annotation, nested.get(n), Charter.model_fields[n])
        for n in names
        if n in names
    }


def _sent(annotation: Any, told: Any, info: FieldInfo | None = None) -> Any:
    """A value of the document from nested texts; None where the field is left to its default."""
    kind, inner = _shape(annotation)
    if isinstance(told, dict) and "_odd" in told:
        return _odd(told["_odd"])
    if kind == "list":
        if not isinstance(told, dict):
            return None
        items = [_sent(inner, told[n]) for n in sorted((k for k in told if k.isdigit()), key=int)]
        return [{} if item is None else item for item in items]
    if kind in ("part", "maybe"):
        if isinstance(told, str):
            return _odd(told)
        if not isinstance(told, dict):
            return None
        found = {}
        for name, one in inner.model_fields.items():
            value = _sent(one.annotation, told.get(name), one)
            if value is not None:
                found[name] = value
        return found if found or kind == "maybe" or "_" in told else None
    if not isinstance(told, str) or not told.strip():
        return None
    text = told.strip()
    default = None if info is None or info.is_required() else info.get_default(call_default_factory=True)
    if info is not None and not info.is_required() and default is not None and text == _text(default):
        return None
    if kind == "words":
        return [
            word.strip()
            for word in text.replace("，", ",").replace("、", ",").replace("\n", ",").split(",")
            if word.strip()
        ]
    return text


def _odd(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# -- changing lists -----------------------------------------------------------------------------------------------------


def change(raw: dict[str, Any], deed: str, place: str) -> bool:
    """Add to a list, or take away, move up or down one of it; put in a part that may be missing, or take it out.

    False when there is no such place any more.
    """
    steps = place.split(".")
    at: Any = raw
    for n, step in enumerate(steps[:-1]):
        if isinstance(at, list):
            if not step.isdigit() or int(step) >= len(at):
                return False
            at = at[int(step)]
        elif isinstance(at, dict):
            if at.get(step) is None:
                at[step] = [] if steps[n + 1].isdigit() else {}
            at = at[step]
        else:
            return False
    last = steps[-1]
    if isinstance(at, list):
        if not last.isdigit() or int(last) >= len(at):
            return False
        n = int(last)
        if deed == "remove":
            del at[n]
        elif deed == "up" and n > 0:
            at[n - 1], at[n] = at[n], at[n - 1]
        elif deed == "down" and n + 1 < len(at):
            at[n + 1], at[n] = at[n], at[n + 1]
        return True
    if not isinstance(at, dict):
        return False
    if deed == "remove":
        at.pop(last, None)
    elif deed == "put":
        at[last] = {}
    elif deed == "add":
        there = at.get(last)
        at[last] = [*(there if isinstance(there, list) else []), {}]
    return True
