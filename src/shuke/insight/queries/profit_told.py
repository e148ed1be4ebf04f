"""One member's profit, type and budget as programs read it: the API and `--json` say the same."""

from __future__ import annotations

from typing import Any

from shuke.engine.insight.profit import KINDS
from shuke.insight.queries.profit import Told, of_member, report
from shuke.insight.queries.profit_inputs import TOLD, terms_of
from shuke.members.models import Member
from shuke.shops.models import Merchant

_SUMS = ("net", "margin", *KINDS, "profit")
_BUDGET = ("leaving_permille", "stays_minor", "worth_minor", "budget_minor", "budget_low", "budget_high", "advice")
_TRAITS = ("loyalty", "quality", "price_permille", "price_orders", "returned_permille", "friends", "stated_permille")


def member_plain(merchant: Merchant, who: Member) -> dict[str, Any] | None:
    """None where no report knows the member yet."""
    told = of_member(merchant, who.pk)
    figures = report(merchant)
    if told is None or figures is None:
        return None
    terms = terms_of(merchant)
    return row_plain(told) | {
        "as_of": figures["as_of"],
        "currency": merchant.currency,
        "plain_worth_minor": told.plain_worth,
        "years_tenths": terms.years_tenths,
        "years_assumed": terms.years_assumed,
        "margin_assumed": terms.margin_assumed,
        "uplift_permille": terms.uplift,
        "uplift_source": terms.uplift_source,
        "uplift_assumed": not terms.uplift_source,
        "said": {key: who.attributes.get(key) for key in TOLD},
    }


def row_plain(told: Told) -> dict[str, Any]:
    row = told.row
    return {
        "id": str(told.member.pk),
        "card": told.member.card,
        "year": {name: getattr(row, f"year_{name}_minor") for name in _SUMS},
        "ever": {name: getattr(row, f"{name}_minor") for name in _SUMS},
        **{name: getattr(row, name) for name in (*_TRAITS, *_BUDGET)},
        "reasons": [{"code": code, **figures} for code, figures in told.reasons],
    }
