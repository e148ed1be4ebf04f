"""The Complete Journey: a year of a grocery chain's baskets, in parquet tables that belong together.

What counts as paid is `sales_value`: by the data's own description the money the store receives for the line. It is
after the store's own card discount (`retail_disc`) and the store's match of a coupon (`coupon_match_disc`), and before
the manufacturer's coupon (`coupon_disc`), which the manufacturer pays back: to the store that coupon is a means of
payment. So discount = retail_disc + coupon_match_disc, goods = sales_value + discount, and the sum over all orders is
the sum of `sales_value`. See docs/algorithms/import-layouts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from shuke.connect.importers.layouts import Fact, Options
from shuke.engine.facts import Claim, CouponUse, IdentityKind, Line, Order, OrderStatus, Person, Problem, Product
from shuke.kit.clock import UTC
from shuke.kit.tabular import TabularError

KEY, REALM, PLATFORM = "completejourney", "completejourney", "completejourney"
CURRENCY = "USD"
# The stamps are UTC: the year ends at 04:01 of 1 January, and the stores are quietest at 8 o'clock, which is 3 in the
# night where they stand. Coupons are dated by the day alone.
ZONE = ZoneInfo("America/New_York")
FUEL = "GASOLINE-REG UNLEADED"  # its quantity is thousandths of a gallon; a few rows have a plain 1
ATTRIBUTES = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")
_TABLES = {
    "transactions": ("household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value",
                     "retail_disc", "coupon_disc", "coupon_match_disc", "transaction_timestamp"),
    "products": ("product_id", "department", "brand", "product_category", "product_type"),
    "demographics": ("household_id", *ATTRIBUTES),
    "coupon_redemptions": ("household_id", "coupon_upc", "campaign_id", "redemption_date"),
    "coupons": ("coupon_upc", "product_id", "campaign_id"),
    "campaigns": ("campaign_id", "household_id"),
    "campaign_descriptions": ("campaign_id", "campaign_type", "start_date", "end_date"),
    "promotions": ("product_id", "store_id", "display_location", "mailer_location", "week"),
}  # fmt: skip
USED = ("transactions", "products", "demographics", "coupon_redemptions")
_BATCH = 20_000


def columns_of(path: Path) -> tuple[str, ...]:
    """Column names of a parquet file. Raises TabularError: cut_off."""
    with _connection() as connection:
        try:
            found = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)]).description
        except duckdb.Error as error:
            raise TabularError("cut_off", file=path.name, why="parquet") from error
    return tuple(column[0] for column in found or ())


def table_of(columns: tuple[str, ...]) -> str:
    """Which of the tables has these columns, "" if none."""
    have = set(columns)
    return next((table for table, need in _TABLES.items() if have.issuperset(need)), "")


def missing_of(columns: tuple[str, ...]) -> tuple[str, ...]:
    """What the nearest table has and this file has not."""
    have = set(columns)
    table = max(_TABLES, key=lambda name: len(have.intersection(_TABLES[name])))
    return tuple(name for name in _TABLES[table] if name not in have)


def rows_in(path: Path) -> int:
    with _connection() as connection:
        try:
            found = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchone()
        except duckdb.Error as error:
            raise TabularError("cut_off", file=path.name, why="parquet") from error
    return int(found[0] or 0) if found else 0


def read(files: Mapping[str, Path], options: Options) -> Iterator[Fact]:
    """Products, then households, then baskets in order of time, then coupon uses; as far as the tables are given."""
    if options.currency != CURRENCY:
        told = (("found", CURRENCY), ("expected", options.currency))
        yield Problem("file_other_currency", 0, params=told, file=", ".join(path.name for path in files.values()))
        return
    with _connection() as connection:
        try:
            catalogue = _catalogue(connection, files.get("products"))
            if "products" in files:
                for code, (title, category, brand) in catalogue.items():
                    yield Product(str(code), title, category, brand)
            if "demographics" in files:
                yield from _households(connection, files["demographics"])
            if "transactions" in files:
                yield from _baskets(connection, files["transactions"], catalogue, options)
            if "coupon_redemptions" in files:
                yield from _coupons(connection, files["coupon_redemptions"])
        except duckdb.Error as error:
            raise TabularError(
                "cut_off", file=", ".join(path.name for path in files.values()), why="parquet"
            ) from error


def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "400MB"})


def _batches(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while batch := result.fetchmany(_BATCH):
        yield from batch


def _level(name: str | None) -> str:
    return (name or "").strip().replace("/", "&")  # "/" joins the levels


def _catalogue(connection: duckdb.DuckDBPyConnection, path: Path | None) -> dict[int, tuple[str, str, str]]:
    """product_id → title, category, brand."""
    if path is None:
        return {}
    rows = connection.execute(
        "SELECT product_id, department, product_category, product_type, brand FROM read_parquet(?) ORDER BY product_id",
        [str(path)],
    )
    shared: dict[str, str] = {}  # few categories, many products: one string each
    found: dict[int, tuple[str, str, str]] = {}
    for code, department, category, kind, brand in _batches(rows):
        levels = [_level(department), _level(category), _level(kind)]
        while levels and not levels[-1]:
            levels.pop()
        path_text = "/".join(levels)
        title = kind or category or department or ""
        found[code] = (
            shared.setdefault(title, title), shared.setdefault(path_text, path_text), shared.setdefault(brand or "", brand or "")
        )  # fmt: skip
    return found


def _claim(household: int) -> Claim:
    return Claim(IdentityKind.PLATFORM_ID, str(household), REALM)


def _households(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Person]:
    fields = ", ".join(ATTRIBUTES)
    rows = connection.execute(f"SELECT household_id, {fields} FROM read_parquet(?) ORDER BY household_id", [str(path)])
    for household, *values in _batches(rows):
        said = tuple((key, value) for key, value in zip(ATTRIBUTES, values, strict=True) if value is not None)
        yield Person(claims=(_claim(household),), attributes=said)


def _in_order(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the file already stands in order of time with each basket's lines together, as the published one does:
    then it is streamed as it is, and no sort takes memory."""
    found = connection.execute(
        "SELECT coalesce(basket_id, 0) AS b, coalesce(epoch_us(transaction_timestamp), 0) AS t FROM read_parquet(?)",
        [str(path)],
    ).fetchnumpy()
    baskets, moments = found["b"], found["t"]
    runs = 1 + int(np.count_nonzero(baskets[1:] != baskets[:-1]))
    return runs == len(np.unique(baskets)) and bool(np.all(moments[1:] >= moments[:-1]))


def _baskets(
    connection: duckdb.DuckDBPyConnection, path: Path, catalogue: dict[int, tuple[str, str, str]], options: Options
) -> Iterator[Order]:
    order_by = (
        "" if _in_order(connection, path) else "ORDER BY transaction_timestamp, basket_id, product_id, sales_value"
    )
    rows = connection.execute(
        f"""
        SELECT basket_id, household_id, store_id, transaction_timestamp, product_id, quantity,
               CAST(round(coalesce(sales_value, 0) * 100) AS BIGINT),
               CAST(round((coalesce(retail_disc, 0) + coalesce(coupon_match_disc, 0)) * 100) AS BIGINT)
        FROM read_parquet(?)
        WHERE basket_id IS NOT NULL AND household_id IS NOT NULL AND transaction_timestamp IS NOT NULL
              AND product_id IS NOT NULL AND quantity IS NOT NULL
        {order_by}
        """,
        [str(path)],
    )
    people: dict[int, Person] = {}
    codes: dict[int, str] = {}
    stores: dict[int, str] = {}
    platform, shop = options.platform or PLATFORM, options.shop
    stated_at, finished = options.stated_at, OrderStatus.FINISHED
    unknown = ("", "", "")
    basket, head = None, (0, 0, None)
    lines: list[Line] = []
    paid = discount = 0

    def order() -> Order:
        household, store, stamp = head
        assert stamp is not None
        moment = stamp.replace(tzinfo=UTC)
        person = people.get(household)
        if person is None:
            person = people[household] = Person((_claim(household),))
        code = stores.get(store)
        if code is None:
            code = stores[store] = str(store)
        return Order(
            platform, shop, str(basket), finished, moment, moment, None, moment, None, None, CURRENCY,
            paid + discount, discount, 0, paid, 0, tuple(lines), person, code, "store", "", None, None, "", stated_at,
        )  # fmt: skip

    for number, household, store, stamp, product, quantity, sales, off in _batches(rows):
        if number != basket:
            if basket is not None:
                yield order()
            basket, head, lines, paid, discount = number, (household, store, stamp), [], 0, 0
        title, category, brand = catalogue.get(product, unknown)
        code = codes.get(product)
        if code is None:
            code = codes[product] = str(product)
        gross = sales + off
        if quantity > 99 and title == FUEL:
            milli, price = quantity, (gross * 1000 + quantity // 2) // quantity
        elif quantity > 0:
            milli, price = quantity * 1000, (gross + quantity // 2) // quantity
        else:
            milli, price = 0, None
        lines.append(Line(title, milli, sales, code, "", "", category, brand, price, off))
        paid += sales
        discount += off
    if basket is not None:
        yield order()


def _coupons(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[CouponUse]:
    rows = connection.execute(
        "SELECT household_id, coupon_upc, campaign_id, redemption_date FROM read_parquet(?) ORDER BY 4, 1, 2, 3",
        [str(path)],
    )
    for household, coupon, campaign, day in _batches(rows):
        noon = day.replace(hour=12, tzinfo=ZONE).astimezone(UTC)  # only the day is known
        yield CouponUse(_claim(household), str(coupon), noon, str(campaign), PLATFORM)
