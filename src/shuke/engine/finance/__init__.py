"""What points owe and are worth, computed: roll-forward, breakage, deferral, provision, forecast, journal. Plain values only.

Months are integers (`months.py`), points integers, money integer minor units; a lot's own cost is millionths of a minor
unit (*micro*). docs/algorithms/finance.md works every table through by hand; tests/engine/finance executes those tables.
"""
