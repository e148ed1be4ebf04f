"""The rows of a profit report as whole numbers by column: from the copy the report left, or from the table."""

from __future__ import annotations

from collections.abc import Iterable

from shuke.engine.insight import budget, profit, traits
from shuke.engine.insight.port import Columns
from shuke.insight.models import ProfitReport
from shuke.insight.queries.cut_points import mark_of
from shuke.insight.queries.kept_rows import kept
from shuke.insight.queries.order_columns import fetch
from shuke.shops.models import Merchant

TABLE = "insight_memberprofit"
KINDS = profit.KINDS
NAMES = {"loyalty": traits.TYPES, "quality": traits.QUALITIES, "advice": budget.ADVICE}  # columns hold places in these
NONE = -(1 << 53)  # where nothing is known
NOT_KNOWN = {"price_permille": -1}  # instead of NONE
OF_MAYBE = ("price_permille", "leaving_permille", "stays_minor", "worth_minor", "budget_minor", "budget_low", "budget_high")  # fmt: skip


def latest(merchant: Merchant) -> ProfitReport | None:
    return ProfitReport.objects.filter(merchant=merchant).only("day", "made_at").order_by("-day").first()


def before(merchant: Merchant, names: tuple[str, ...]) -> Columns:
    """`member`, ascending, and these columns, as the latest report left them."""
    report = latest(merchant)
    copy = kept(merchant, TABLE, mark_of(report)) if report else None
    return copy if copy is not None and copy.keys() == {"member", *names} else read(merchant, names)


def read(merchant: Merchant, names: Iterable[str]) -> Columns:
    """The rows there are, by ascending member, as the table has them."""
    said = {name: name for name in names}
    said |= {name: f"COALESCE({name}, {NOT_KNOWN.get(name, NONE)})" for name in OF_MAYBE}
    for name, listed in NAMES.items():
        whens = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(listed) if word)
        said[name] = f"CASE {name} {whens} ELSE 0 END"
    return fetch(
        f"SELECT member_id, {', '.join(said.values())} FROM {TABLE} WHERE +merchant_id = %s ORDER BY member_id",
        [merchant.pk],
        ("member", *said),
    )
