"""The dashboard's pieces: a stored snapshot in, tiles, layers, cells and charts out, each with the list behind it.

Nothing is computed live: figures are those of `insight.queries.figures` (its docstring gives their shape), so a page is as
fast at a million members as at ten.
"""

from shuke.doors.console.board.course import MOVED_DAYS, liability, months, movement, stores
from shuke.doors.console.board.groups import grades, lifecycle, pyramid, rfm
from shuke.doors.console.board.shapes import members_url
from shuke.doors.console.board.tiles import concentration, tiles

__all__ = [
    "MOVED_DAYS",
    "concentration",
    "grades",
    "liability",
    "lifecycle",
    "members_url",
    "months",
    "movement",
    "pyramid",
    "rfm",
    "stores",
    "tiles",
]
