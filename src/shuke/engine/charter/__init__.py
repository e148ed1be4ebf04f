"""The charter 会员章程: what members get and why, as one document that a shopkeeper and the engine both read.

`document` is the typed text, `terms` the same in integers for one zone and currency, `earn` and `grade` the rules as
functions, `describe` the sentences of the member handbook. docs/algorithms/charter.md has worked tables.
"""
