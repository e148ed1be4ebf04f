"""The points ledger as a fold: events of one member in, effects per event out (docs/algorithms/ledger.md).

`events` is what can happen, `books` what a member has, `fold` how one leads to the other.
"""
