"""Coalition points 联盟积分: which points a spend across merchants draws, what each is charged, who owes whom at the end.

Money is exact: amounts are millionths of a minor unit until a statement rounds them, and the remainder is carried into the next.
docs/algorithms/coalition.md has worked tables.
"""
