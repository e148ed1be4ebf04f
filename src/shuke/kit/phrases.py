"""Sentences of rooms that know no languages, said in Chinese: each English form stands with its Chinese.

`{}` is a figure, in its order, and may be such a sentence itself; where the order differs the Chinese says `{1} … {0}`. What is
in no list is said as it is rather than not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class Phrases:
    def __init__(self, chinese: Mapping[str, str]) -> None:
        self.whole = {english: told for english, told in chinese.items() if "{}" not in english}
        self.forms = [
            (re.compile("(.*?)".join(re.escape(part) for part in english.split("{}")), re.S), told)
            for english, told in chinese.items()
            if "{}" in english
        ]

    def in_chinese(self, sentence: str) -> str:
        found = self._found(sentence)
        return sentence if found is None else found

    def _found(self, sentence: str) -> str | None:
        if sentence in self.whole:
            return self.whole[sentence]
        for form, chinese in self.forms:
            if match := form.fullmatch(sentence):
                return chinese.format(*(self._found(figure) or figure for figure in match.groups()))
        return None
