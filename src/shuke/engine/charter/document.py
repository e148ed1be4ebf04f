"""The charter as a typed document, read from and written to YAML or JSON.

Amounts are in major units as people write them (`amount: 1000` is a thousand yuan); `terms.py` turns them into minor
units. Everything has a default where the field agrees on one (docs/algorithms/charter.md says which and why).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from shuke.engine.charter.check import check
from shuke.engine.charter.earning import Earning, Points
from shuke.engine.charter.faults import CharterInvalid, Fault
from shuke.engine.charter.parts import Name, Part
from shuke.engine.charter.referring import Referring
from shuke.engine.charter.rights import Rights
from shuke.engine.charter.selling import Selling
from shuke.engine.charter.stored import Stored
from shuke.engine.charter.tiering import Grading, Membership, Tier
from shuke.kit import misread, strict_yaml

FORMAT = 1


class Charter(Part):
    """The whole document."""

    shuke_charter: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT  # version of this format
    name: Name
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    joining: tuple[Name, ...] = ()  # how one becomes a member, in the shop's words
    points: Points = Points()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=30)]
    grading: Grading = Grading()
    memberships: Annotated[tuple[Membership, ...], Field(max_length=30)] = ()
    earning: Annotated[tuple[Earning, ...], Field(max_length=200)] = ()
    selling: Selling = Selling()
    rights: Rights = Rights()
    referral: Referring | None = None  # members who bring friends; None: nothing is given for it
    stored: Stored | None = None  # money paid in advance and gift cards; None: there are none
    duties: tuple[Name, ...] = ()


def read(text: str) -> Charter:
    """YAML or JSON text → Charter. Raises CharterInvalid."""
    return from_plain(parts(text))


def parts(text: str) -> dict[str, Any]:
    """The named parts of a document, as yet unchecked. Raises CharterInvalid."""
    try:
        raw = strict_yaml.read(text)
    except strict_yaml.NotRead as error:
        raise CharterInvalid([Fault(error.place, error.code, problem=error.problem)]) from error
    if not isinstance(raw, dict):
        raise CharterInvalid([Fault("document", "not_a_charter")])
    return raw


def from_plain(raw: dict[str, Any]) -> Charter:
    """A document as parsed JSON → Charter. Raises CharterInvalid."""
    try:
        charter = Charter.model_validate(raw)
    except ValidationError as error:
        news = misread.news(error.errors(include_url=False))
        raise CharterInvalid([_field_fault(e) for e in news]) from error
    faults = check(charter)
    if faults:
        raise CharterInvalid(faults)
    return charter


def published(raw: dict[str, Any]) -> Charter:
    """A document that is in force or was: it explains what was booked under it, whatever is checked more strictly today."""
    return Charter.model_validate(raw)


def _field_fault(error: Mapping[str, Any]) -> Fault:
    where = ".".join(str(part) for part in error["loc"]) or "document"
    said = {"message": misread.wrong(error, "en"), "chinese": misread.wrong(error, "zh")}
    return Fault(where, "field", given=str(error.get("input", ""))[:60], **said)


def to_plain(charter: Charter) -> dict[str, Any]:
    """Charter → plain values for JSON; numbers as text keep every digit."""
    return charter.model_dump(mode="json", exclude_defaults=True) | {"shuke_charter": FORMAT}


def to_yaml(charter: Charter) -> str:
    return yaml.safe_dump(to_plain(charter), allow_unicode=True, sort_keys=False, width=110)


def to_json(charter: Charter) -> str:
    return json.dumps(to_plain(charter), ensure_ascii=False, indent=2)


def schema() -> dict[str, Any]:
    """JSON Schema of the document, for editors."""
    return Charter.model_json_schema()


def ready(name: str = "general") -> Charter:
    """One of the charters to start from: general, grocer, beauty, kids, cafe."""
    from importlib.resources import files

    source = files("shuke.engine.charter") / "ready" / f"{name}.yaml"
    if not source.is_file():
        known = ", ".join(sorted(p.name[:-5] for p in source.parent.iterdir()))  # type: ignore[attr-defined]
        raise CharterInvalid([Fault("name", "no_such_ready", name=name, known=known)])
    return read(source.read_text(encoding="utf-8"))
