"""Who: members, how they are recognised, how they can be reached, what they agreed to, and what happened to them.

Words: an *identity* is one value that tells who somebody is (card, platform id, verified phone, nickname); a *contact* is
a way to reach them. Invariants: one identity value belongs to one member of a merchant; recognition never merges two
members; phone numbers, e-mails and addresses are only in `Contact`, encrypted; the timeline is append-only.
"""
