"""The parts of a member list page: tabs, filter menus, chips, columns, and addresses that say all of it."""

from shuke.doors.console.member_list.asked import CHOICE, COLUMNS_KEY, HEADINGS, Asked, columns, hidden, read, tabs
from shuke.doors.console.member_list.filtering import chips, forget_choices, menus, more_menus
from shuke.doors.console.member_list.table import heads, pager, table

__all__ = [
    "CHOICE", "COLUMNS_KEY", "HEADINGS", "Asked", "chips", "columns", "forget_choices", "heads", "hidden", "menus", "more_menus",
    "pager", "read", "table", "tabs",
]  # fmt: skip
