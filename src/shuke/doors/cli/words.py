"""The language of the terminal: Chinese or English, by SHUKE_LANGUAGE or else by the locale.

Reads the same catalogue as the console, through the standard library, so that `shuke --help` need not start Django.
"""

from __future__ import annotations

import gettext
import os
from functools import lru_cache
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[2] / "locale"


@lru_cache(maxsize=1)
def language() -> str:
    """ "zh-hans" or "en"."""
    for name in ("SHUKE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if told := os.environ.get(name):
            return "zh-hans" if told.lower().startswith("zh") else "en"
    return "en"


@lru_cache(maxsize=1)
def _catalogue() -> gettext.NullTranslations:
    if language() == "en":
        return gettext.NullTranslations()
    return gettext.translation("django", LOCALE, ["zh_Hans"], fallback=True)


def _(text: str) -> str:
    """The text in the language of the terminal."""
    return _catalogue().gettext(text)
