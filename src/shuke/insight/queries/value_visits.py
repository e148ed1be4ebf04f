"""The member-day roll-up that value is learnt from: who bought on which day, and for how much, net of what came back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from django.conf import settings

from shuke.engine.insight import kpi, pyramid
from shuke.engine.insight.clv.history import Visits
from shuke.engine.insight.port import Engine
from shuke.insight.models import MemberScore
from shuke.insight.queries.goods_sales import files_of, living
from shuke.shops.models import Merchant


def visits_of(merchant: Merchant, day: date) -> Visits:
    """Of all living members up to the end of `day`; what is dated later does not count. Amounts in minor units.

    From the columns, which must be fresh (`snapshot` sees to it).
    """
    with Engine(temp=Path(settings.SHUKE_HOME) / "tmp" / "engine", memory="400MB", temp_limit="8GB") as engine:
        engine.files("heads", files_of(merchant)["heads"])
        engine.table("members", living(merchant))
        rows = engine.run("visits", as_of=kpi.day_number(day))
    who, on, net = rows["who"], rows["on_day"].astype(np.int64), rows["net_sum"].astype(np.float64)
    bought = (rows["bought"] > 0) & (net >= 0)
    customers, code = np.unique(who, return_inverse=True)
    back = ~bought
    return Visits(customers, code[bought], on[bought], net[bought], code[back], on[back], net[back])


def layers_of(merchant: Merchant, members: np.ndarray) -> np.ndarray:
    """Index into pyramid.LAYERS (int64) for each of these members (ascending ids); the last layer for who has no score."""
    found = np.full(members.size, len(pyramid.LAYERS) - 1, np.int64)
    place = {name: i for i, name in enumerate(pyramid.LAYERS)}
    rows = MemberScore.objects.filter(merchant=merchant).values_list("member_id", "layer")
    known = np.array(
        [(member, place[layer]) for member, layer in rows.iterator(chunk_size=20_000) if layer in place], np.int64
    )
    if known.size and members.size:
        at = np.minimum(np.searchsorted(members, known[:, 0]), members.size - 1)
        here = members[at] == known[:, 0]
        found[at[here]] = known[here, 1]
    return found
