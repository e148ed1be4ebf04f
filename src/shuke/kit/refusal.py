"""A refusal in two languages: a code, which programs read and which does not change, and a sentence with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

LANGUAGES = ("en", "zh")
LONGEST = 500  # of one figure; a list of what is known may well be long
Sentences = Mapping[str, tuple[str, str]]  # code → English, Chinese


def sentence(sentences: Sentences, code: str, figures: Mapping[str, Any], language: str) -> str:
    """The sentence of a code. A figure may be a name in both languages: `{"zh": …, "en": …}`."""
    spoken = "zh" if language.startswith("zh") else "en"
    english, chinese = sentences[code]
    said = {name: _short(one.get(spoken, "") if isinstance(one, dict) else one) for name, one in figures.items()}
    return (chinese if spoken == "zh" else english).format(**said)


def _short(figure: object) -> object:
    """A sentence stays one, whatever it repeats of what somebody sent."""
    return figure[:LONGEST] + "…" if isinstance(figure, str) and len(figure) > LONGEST else figure


class Refusal(ValueError):
    """What was asked cannot be done, and nothing of it was. A room's own refusals name their sentences."""

    sentences: ClassVar[Sentences]

    def __init__(self, code: str, **figures: object) -> None:
        self.code, self.figures = code, figures
        super().__init__(self.say())

    def say(self, language: str = "en") -> str:
        return sentence(self.sentences, self.code, self.figures, language)
