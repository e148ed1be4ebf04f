"""Made-up sample data in the true layouts of sellers' exports. Nobody in it exists.

`layouts` writes one small file of every layout we read: for tests, and for sellers to download as an example.
`taobao_shop` invents a whole shop with three years of trade, writes its exports with all their oddities, and knows the
truth behind them. Everything here is seeded: the same seed and end date give the same bytes. No Django.
"""
