"""Tools without a trade word: ids, money, clock, jobs, audit, crypto, tabular files. Each module does one job."""
