"""Co-branded cards 联名卡: programmes and their terms, members' cards, spend files taken and taken back, what the partner owes.

A card is matched by its token or not at all; nobody is guessed. Numbers in clear are never kept.
"""

from __future__ import annotations

from shuke.loyalty.actions.partner_cards.binding import bind, match, unbind
from shuke.loyalty.actions.partner_cards.closing import Closed, close
from shuke.loyalty.actions.partner_cards.programmes import remember_columns, save_programme, set_terms
from shuke.loyalty.actions.partner_cards.recounting import recount
from shuke.loyalty.actions.partner_cards.refusals import COLUMN_OF, CardRefused, why
from shuke.loyalty.actions.partner_cards.taking import begin_file, discard_file, end_file, take_rows
from shuke.loyalty.actions.partner_cards.undoing import undo_file

__all__ = [
    "COLUMN_OF",
    "CardRefused",
    "Closed",
    "begin_file",
    "bind",
    "close",
    "discard_file",
    "end_file",
    "match",
    "recount",
    "remember_columns",
    "save_programme",
    "set_terms",
    "take_rows",
    "unbind",
    "undo_file",
    "why",
]
