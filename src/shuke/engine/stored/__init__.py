"""Money paid in advance: lots of principal 本金 and bonus 赠送金额, what uses them, and what gives them back.

Pure and in integers. docs/algorithms/stored-value.md says the same in words and tables.
"""

from shuke.engine.stored.purse import (
    BONUS,
    PRINCIPAL,
    Effect,
    Hold,
    Lot,
    Purse,
    StoredValueError,
)
from shuke.engine.stored.using import plan, share_back

__all__ = [
    "BONUS",
    "PRINCIPAL",
    "Effect",
    "Hold",
    "Lot",
    "Purse",
    "StoredValueError",
    "plan",
    "share_back",
]
