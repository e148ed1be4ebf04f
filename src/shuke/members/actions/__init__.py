"""All writes of members. One module per noun; callers import from here."""

from shuke.members.actions.attributes import (
    BadAttribute,
    BadDefinition,
    Definition,
    define_attributes,
    set_attributes,
)
from shuke.members.actions.consents import Statement, consent
from shuke.members.actions.recognition import Newcomers, Recognised, Seen, preview, recognise
from shuke.members.actions.timeline import Claimed, Note, claim, note

__all__ = [
    "BadAttribute",
    "BadDefinition",
    "Claimed",
    "Definition",
    "Newcomers",
    "Note",
    "Recognised",
    "Seen",
    "Statement",
    "claim",
    "consent",
    "define_attributes",
    "note",
    "preview",
    "recognise",
    "set_attributes",
]
