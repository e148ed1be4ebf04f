"""The same list of events through flows and actions, in a throw-away database: it must print what the engine alone prints.

Everything goes in by the door it always uses: members join, orders and returns are taken in, baskets are held and captured,
requests are asked of the books, at their own times. What is printed is read back from the tables.
"""

from shuke.flows.replay_books.books import Books, open_shop

__all__ = ["Books", "open_shop"]
