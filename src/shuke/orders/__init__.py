"""What was bought: orders, lines, refunds, products, and the import batches they came by.

Invariants: an order is one row per merchant, store and number; a statement moves it forward, never back; money is minor
units; `net_minor` is what counts as spent (paid for goods, less refunds, 0 for unpaid, closed and excluded orders).
"""
