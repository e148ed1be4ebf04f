"""Who buys how: RFM, pyramid, life cycle, key figures, on an in-process analytics engine.

    from shuke.engine.insight import rfm
    cuts = rfm.cut_points(days, order_days, net, fixed_on=date(2026, 11, 1))
    rfm.score(days, order_days, net, cuts)      # numpy arrays in, numpy arrays out

`clv` foretells what customers will buy and spend, and tests whether that is worth showing; `files` and `triangle` need no
database either. `port` runs the SQL texts in `sql/`, `snapshot.take` computes all figures of a day, `wording` says what they mean.
"""
