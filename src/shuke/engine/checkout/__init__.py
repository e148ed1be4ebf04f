"""What a basket costs: `price(terms, basket, holdings, at)`. docs/algorithms/checkout.md has worked tables and formats.

`basket` is what comes in, `rules` the charter's selling part ready to compute with, `moves` what one rule does to the
lines, `search` which rules together save most, `pricing` the whole, `returning` what parts of it are worth when goods
come back, `reasons` the sentences.
"""

from shuke.engine.checkout.basket import MOST, Asks, Basket, Coupon, GiftCard, Holdings, Line
from shuke.engine.checkout.priced import Applied, Left, Priced, PricedLine
from shuke.engine.checkout.pricing import price

__all__ = [
    "MOST",
    "Applied",
    "Asks",
    "Basket",
    "Coupon",
    "GiftCard",
    "Holdings",
    "Left",
    "Line",
    "Priced",
    "PricedLine",
    "price",
]
