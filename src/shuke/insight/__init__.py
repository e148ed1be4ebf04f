"""What the history means: nightly snapshots of scores that point back to members.

Invariant: a figure on screen names its day and its definition, and opens to the members behind it.
"""
