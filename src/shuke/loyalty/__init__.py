"""What members hold: published charters, tiers with their history, and the posted points ledger.

Words: an *event* is what happened (an order, an expiry, a redemption); a *posting* (Txn) books its effect; a *lot* is one
credit with its own expiry; a *use* takes from or returns to a lot; a *wallet* is one member's account head.
Invariants I1 to I18: docs/algorithms/ledger.md; checked by constraints, triggers and `shuke ledger verify`.
"""
