"""All writes of a coalition: who is in it at what price, whose accounts are linked, spends across merchants, closing."""

from shuke.loyalty.actions.coalition.gathering import gather
from shuke.loyalty.actions.coalition.joining import (
    accept,
    agree,
    buy_pack,
    decline,
    end,
    found,
    invite,
    leave,
    propose,
    see_off,
)
from shuke.loyalty.actions.coalition.linking import follow_merges, link, make_code, unlink
from shuke.loyalty.actions.coalition.refusals import REFUSALS, CoalitionRefused, sentence
from shuke.loyalty.actions.coalition.returning import give_back
from shuke.loyalty.actions.coalition.settlement import Closed, close
from shuke.loyalty.actions.coalition.spending import spend

__all__ = [
    "REFUSALS",
    "Closed",
    "CoalitionRefused",
    "accept",
    "agree",
    "buy_pack",
    "close",
    "decline",
    "end",
    "follow_merges",
    "found",
    "gather",
    "give_back",
    "invite",
    "leave",
    "link",
    "make_code",
    "propose",
    "see_off",
    "sentence",
    "spend",
    "unlink",
]
