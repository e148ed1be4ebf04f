"""Two people on one form: what each of them changed stands, and what both changed is said and not decided by chance.

A form of somebody known goes out with what it showed (`shown`, a hidden field). When it comes back, fields nobody typed in take
what is known now; a field that was typed in, and that somebody else changed meanwhile to something else, is a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _


def shown(form: forms.Form, known: Mapping[str, Any]) -> str:
    """What the form shows, to be sent with it."""
    return json.dumps({name: _plain(known.get(name)) for name in form.fields}, ensure_ascii=False, sort_keys=True)


def meet(
    form: forms.Form, sent: QueryDict, known: Mapping[str, Any], groups: Mapping[str, str]
) -> tuple[QueryDict, dict[str, str]]:
    """The form's data with what is known now wherever nobody typed, and a sentence by the name of each field in conflict.

    `groups` says which fields are one thing (the cells of a row of days): name of a field → name of what it belongs to.
    """
    try:
        before = json.loads(sent.get("shown", ""))
    except ValueError:
        return sent, {}
    if not isinstance(before, dict):
        return sent, {}
    typed, theirs, apart = set(), set(), set()
    for name, field in form.fields.items():
        if name not in before:
            continue
        group = groups.get(name, name)
        told = field.widget.value_from_datadict(sent, {}, name)
        now = _plain(known.get(name))
        if _differs(field, before[name], told):
            typed.add(group)
        if _differs(field, before[name], now):
            theirs.add(group)
        if _differs(field, now, told):
            apart.add(group)
    data = sent.copy()
    wrong: dict[str, str] = {}  # field → what it belongs to
    for name in form.fields:
        group = groups.get(name, name)
        if group in theirs and group not in typed:
            data.setlist(name, _as_sent(known.get(name)))
        elif group in theirs and group in apart and group not in wrong.values():
            wrong[name] = group
    said = _(
        "Somebody else changed this meanwhile; it is “%(now)s” now. Nothing was overwritten. Save again if yours is to stand."
    )
    return data, {name: said % {"now": _told(known, group, groups)} for name, group in wrong.items()}


def _differs(field: forms.Field, one: Any, other: Any) -> bool:
    return _read(field, one) != _read(field, other)


def _read(field: forms.Field, value: Any) -> Any:
    """As the field understands it; everything that is nothing is the same."""
    try:
        told = field.to_python(value)
    except forms.ValidationError:
        told = value
    return "" if told in (None, "", [], False) else told


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    if isinstance(value, bool | list) or value is None:
        return value
    return str(value)


def _as_sent(value: Any) -> list[str]:
    """As a browser would send it."""
    if value is None or value is False:
        return []
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return ["on"] if value is True else [f"{value:f}" if isinstance(value, Decimal) else str(value)]


def _told(known: Mapping[str, Any], group: str, groups: Mapping[str, str]) -> str:
    parts = [known.get(name) for name, of in groups.items() if of == group] or [known.get(group)]
    return " ".join(str(part) for part in parts if part not in (None, "", False)) or "–"
