"""Two profiles become one: which value stands, by field. Pure; the preview and the deed ask the same function.

What the survivor knows stands, and its gaps are filled by the other; a person may choose otherwise field by field.
Tags are put together, notes written one below the other, and the earlier joining day always holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shuke.members.models import Member

# What a person can choose between, and the columns that go together.
CHOICES: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "nickname": ("nickname", "nickname_at"),
    "gender": ("gender",),
    "birthday": ("birth_year", "birth_month", "birth_day", "birth_lunar"),
    "place": ("province", "city"),
    "phone": ("phone_hint",),
    "occupation": ("occupation",),
    "income_band": ("income_band",),
    "home_store": ("home_store_id",),
    "served_by": ("served_by_id",),
    "referred_by": ("referred_by_id",),
    "acquisition": ("acquired_by", "acquisition_cost_minor"),
}


class Field(NamedTuple):
    """One line of the comparison. `key` is what `take` names; `wins` is survivor, absorbed, both or same."""

    key: str
    survivor: Any
    absorbed: Any
    wins: str

    @property
    def can_choose(self) -> bool:
        return self.wins in ("survivor", "absorbed") and bool(self.survivor) and bool(self.absorbed)


class UnknownChoice(ValueError):
    """`take` names a field there is none of, or a side that is neither."""


def compare(survivor: Member, absorbed: Member, take: Mapping[str, str] | None = None) -> list[Field]:
    """Every field in which the two say something, and whose word holds."""
    chosen = dict(take or {})
    fields = []
    for key in CHOICES:
        fields.append(_field(key, _said(survivor, key), _said(absorbed, key), chosen.pop(key, "")))
    for key in sorted({*survivor.attributes, *absorbed.attributes}):
        name = f"attribute:{key}"
        theirs = survivor.attributes.get(key), absorbed.attributes.get(key)
        fields.append(_field(name, *theirs, chosen.pop(name, "")))
    if chosen:
        known = ", ".join([*CHOICES, "attribute:<key>"])
        raise UnknownChoice(f"“{next(iter(chosen))}” cannot be chosen; what can is {known}.")
    fields.append(Field("tags", survivor.tags, absorbed.tags, "both"))
    fields.append(Field("note", survivor.note, absorbed.note, "both"))
    earlier = "survivor" if survivor.joined_at <= absorbed.joined_at else "absorbed"
    fields.append(Field("joined_at", survivor.joined_at, absorbed.joined_at, earlier)._replace(wins=earlier))
    return [f for f in fields if _told(f.survivor) or _told(f.absorbed)]


def _field(key: str, mine: Any, theirs: Any, chosen: str) -> Field:
    if chosen not in ("", "survivor", "absorbed"):
        raise UnknownChoice(f"{key}: choose survivor or absorbed, not “{chosen}”.")
    if mine == theirs:
        return Field(key, mine, theirs, "same")
    if chosen:
        return Field(key, mine, theirs, chosen)
    return Field(key, mine, theirs, "survivor" if _told(mine) else "absorbed")


def _told(value: Any) -> bool:
    return value not in (None, "", [], {})


def _said(member: Member, key: str) -> Any:
    """What a member's profile says for a choice, in a form that can be shown; None where it says nothing."""
    if key == "birthday":
        if not member.birth_month or not member.birth_day:
            return None
        return [member.birth_year, member.birth_month, member.birth_day, member.birth_lunar]
    if key == "nickname":
        return member.nickname
    if key == "place":
        return f"{member.province} {member.city}".strip()
    if key == "acquisition":
        return [member.acquired_by, member.acquisition_cost_minor] if member.acquired_by else ""
    return getattr(member, CHOICES[key][0])


def merged_values(survivor: Member, absorbed: Member, take: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The survivor's columns that the merge changes, with their new values."""
    values: dict[str, Any] = {}
    attributes = dict(survivor.attributes)
    for field in compare(survivor, absorbed, take):
        if field.wins != "absorbed" or field.key in ("tags", "note"):
            continue
        if field.key.startswith("attribute:"):
            attributes[field.key.removeprefix("attribute:")] = field.absorbed
        elif field.key == "joined_at":
            values["joined_at"] = absorbed.joined_at
        else:
            values.update({column: getattr(absorbed, column) for column in CHOICES[field.key]})
    values["attributes"] = attributes
    values["tags"] = list(dict.fromkeys([*survivor.tags, *absorbed.tags]))
    values["note"] = "\n".join(dict.fromkeys(n for n in (survivor.note, absorbed.note) if n))
    # Nobody brought themselves: not even when both halves were recorded as two people.
    if values.get("referred_by_id", survivor.referred_by_id) in (absorbed.pk, survivor.pk):
        values["referred_by_id"] = None
    if survivor.frozen_at is None and absorbed.frozen_at is not None:  # a freeze may not be shaken off by merging
        values["frozen_at"], values["frozen_because"] = absorbed.frozen_at, absorbed.frozen_because
    return {column: value for column, value in values.items() if getattr(survivor, column) != value}
