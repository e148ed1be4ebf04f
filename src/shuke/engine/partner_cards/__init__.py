"""Co-branded cards 联名卡: what spending with a card partner earns, and what one row of its spend file means."""
