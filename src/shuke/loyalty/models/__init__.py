"""Tables of the loyalty room, a file per kind of thing. Each is imported here, so that Django finds it."""

from shuke.loyalty.models.books import (
    Account,
    Entry,
    Hold,
    Lot,
    ManualTier,
    PublishedCharter,
    RequestOwner,
    Seal,
    TierChange,
    Txn,
    Use,
    Wallet,
)

__all__ = [
    "Account",
    "Entry",
    "Hold",
    "Lot",
    "ManualTier",
    "PublishedCharter",
    "RequestOwner",
    "RequestOwner",
    "Seal",
    "TierChange",
    "Txn",
    "Use",
    "Wallet",
]
