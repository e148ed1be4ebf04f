"""A basket at the till: priced, held, captured or released, and what comes back of it.

The same body is a dry run (`price`), at any date, and the real thing (`hold`). docs/algorithms/checkout.md.
"""

from shuke.flows.checkout.holding import Held, capture, hold, release, release_timed_out
from shuke.flows.checkout.pricing import price
from shuke.flows.checkout.refusals import REFUSALS, CheckoutRefused
from shuke.flows.checkout.returning import Returned, follow_orders, follow_undone, give_back

__all__ = [
    "REFUSALS",
    "CheckoutRefused",
    "Held",
    "Returned",
    "capture",
    "follow_orders",
    "follow_undone",
    "give_back",
    "hold",
    "price",
    "release",
    "release_timed_out",
]
