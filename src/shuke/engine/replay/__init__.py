"""The engine without a database: a charter and a list of dated events in, every member's books out.

`lines` reads the list, `run` folds it, `reasons` says why a rule gave nothing, `report` is what is printed. The same
list through the books of a throw-away database (flows.replay_books) must print the same. docs/algorithms/replay.md.
"""
