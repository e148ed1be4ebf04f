"""The browser and the signed-in client of the console's tests serve the counter too."""

from tests.doors.console.conftest import _fresh_cache, check_page, open_page, see

__all__ = ["_fresh_cache", "check_page", "open_page", "see"]
