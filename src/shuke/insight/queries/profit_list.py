"""Members of a list by what the profit report says of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from shuke.insight.models import MemberProfit
from shuke.insight.queries.filters import Filters
from shuke.shops.models import Merchant

_NONE = {"none": "", "unknown": ""}  # as addresses say that there is none


def those(merchant: Merchant, filters: Filters) -> QuerySet[Any]:
    """Ids of the members that all kinds of filters hold for, any value of one kind."""
    found = MemberProfit.objects.filter(merchant=merchant)
    for column, words in (("loyalty", filters.loyalty), ("quality", filters.quality), ("advice", filters.advice)):
        if words:
            found = found.filter(**{f"{column}__in": [_NONE.get(word, word) for word in words]})
    if filters.cost:
        caused = Q()
        for kind in filters.cost:
            caused |= ~Q(**{f"year_{kind}_minor": 0})
        found = found.filter(caused)
    if filters.profit:
        found = (
            found.filter(year_profit_minor__lt=0) if filters.profit == "loss" else found.filter(year_profit_minor__gt=0)
        )
    return found.order_by().values("member")
