"""What a changed charter would have done: the whole history folded by the books' own engine, under two charters.

`history` holds everybody's events as columns, `figures` adds up what a fold did, `share` folds a share of the members
(in this process or one of its own), `member` puts both sides of one member beside each other. Nothing here knows a
database, and nothing can write one. docs/algorithms/simulation.md has the worked tables.
"""
