"""All writes of insight: the columns that leave the store, the snapshot of a day, its members' scores and movements."""

from shuke.insight.actions.cut_points import BadCutPoints, NothingToCut, learn_cut_points, set_cut_points
from shuke.insight.actions.goods import Mark, UnknownGoods, goods_report, mark_goods
from shuke.insight.actions.profiles import profile_columns
from shuke.insight.actions.snapshots import backfill, forget, snapshot
from shuke.insight.actions.thinning import thin

__all__ = [
    "BadCutPoints",
    "Mark",
    "NothingToCut",
    "UnknownGoods",
    "backfill",
    "forget",
    "goods_report",
    "learn_cut_points",
    "mark_goods",
    "profile_columns",
    "set_cut_points",
    "snapshot",
    "thin",
]
