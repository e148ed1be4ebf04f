"""All writes of insight: the columns that leave the store, the snapshot of a day, its members' scores and movements."""

from shuke.insight.actions.costs import (
    BadStatement,
    Reject,
    Statement,
    Taken,
    set_terms,
    share_of,
    state_costs,
    take_list,
)
from shuke.insight.actions.cut_points import BadCutPoints, NothingToCut, learn_cut_points, set_cut_points
from shuke.insight.actions.goods import Mark, UnknownGoods, goods_report, mark_goods
from shuke.insight.actions.profiles import profile_columns
from shuke.insight.actions.profit import profit_report
from shuke.insight.actions.snapshots import backfill, forget, snapshot
from shuke.insight.actions.thinning import thin
from shuke.insight.actions.value import value_report

__all__ = [
    "BadCutPoints",
    "BadStatement",
    "Mark",
    "NothingToCut",
    "Reject",
    "Statement",
    "Taken",
    "UnknownGoods",
    "backfill",
    "forget",
    "goods_report",
    "learn_cut_points",
    "mark_goods",
    "profile_columns",
    "profit_report",
    "set_cut_points",
    "set_terms",
    "share_of",
    "snapshot",
    "state_costs",
    "take_list",
    "thin",
    "value_report",
]
