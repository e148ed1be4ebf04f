"""What a customer will buy and spend: models of purchases and of order values, and the proof that they are worth showing.

    from shuke.engine.insight.clv import fit, history, predict, spend
    told = history.summary(customer, day, amount)              # numpy columns of orders, one row each
    model = fit.fit(told.rows(), "mbg_nbd")                    # grouped rows, weak prior, verdict
    predict.chance_to_buy(model, told.x, told.t_x, told.T, 30 / 7)
    value = spend.fit(told.paid, told.mean_spend)
    predict.expected_orders(model, told.x, told.t_x, told.T, 52) * spend.expected_order_value(value, told.paid, told.mean_spend)

NumPy and SciPy's special functions only; no database, no Django. Sources, published values and limits: docs/algorithms/clv.md.
"""
