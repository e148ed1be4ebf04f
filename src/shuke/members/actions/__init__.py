"""All writes of members. One module per noun; callers import from here."""

from shuke.members.actions.attributes import (
    BadAttribute,
    BadDefinition,
    Definition,
    define_attributes,
    set_attributes,
)
from shuke.members.actions.cards import CardRefused, found_again, freeze, replace_card, report_lost, unfreeze
from shuke.members.actions.consents import Statement, consent
from shuke.members.actions.contacts import BadContact, NewContact, add_contacts, remove_contacts, reveal
from shuke.members.actions.costs import BadCost, Cost, book_costs
from shuke.members.actions.enrolling import BadDay, IdentityTaken
from shuke.members.actions.profile import BadProfile, add_note, add_tags, edit_profile, remove_tags, undo_created
from shuke.members.actions.recognition import Newcomers, Recognised, Seen, preview, recognise
from shuke.members.actions.suspecting import doubt_again, suspect, tell_apart
from shuke.members.actions.timeline import Claimed, Note, claim, note, note_alike, note_found

__all__ = [
    "BadAttribute",
    "BadContact",
    "BadCost",
    "BadDay",
    "BadDefinition",
    "BadProfile",
    "CardRefused",
    "Claimed",
    "Cost",
    "Definition",
    "IdentityTaken",
    "NewContact",
    "Newcomers",
    "Note",
    "Recognised",
    "Seen",
    "Statement",
    "add_contacts",
    "add_note",
    "add_tags",
    "book_costs",
    "claim",
    "consent",
    "define_attributes",
    "doubt_again",
    "edit_profile",
    "found_again",
    "freeze",
    "note",
    "note_alike",
    "note_found",
    "preview",
    "recognise",
    "remove_contacts",
    "remove_tags",
    "replace_card",
    "report_lost",
    "reveal",
    "set_attributes",
    "suspect",
    "tell_apart",
    "undo_created",
    "unfreeze",
]
