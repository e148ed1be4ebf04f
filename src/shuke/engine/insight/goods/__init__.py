"""What members buy: hot and slow, what opens a relation, what goes together, what is due again, what comes next.

    from shuke.engine.insight.goods import sales, again, fresh
    sold = sales.sales(order, member, day, item, amount)       # numpy columns of order lines, one row each
    rhythm = again.rhythm(sold)
    again.due(sold, rhythm, as_of=20_000)                      # whose item runs out when
    model = fresh.fit(sold)
    fresh.suggest(model, sold, top=10)                         # items new to each member

NumPy and SciPy's sparse matrices; no database, no Django. An item may be a product or a kind of goods (a category, a need):
the functions are the same. Definitions and worked tables: docs/algorithms/goods.md.
"""
