"""How a long story tells how far it is. Flows take a Progress; doors decide what becomes of it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called between transactions, as often as the story likes; the receiver throttles."""

    def total(self, count: int | None, what: str = "") -> None:
        """A stage begins: so many steps (None = unknown) of this (“orders”)."""

    def advance(self, count: int = 1) -> None:
        """So many more steps are done."""

    def note(self, text: str) -> None:
        """Something worth a line."""


class Silent:
    """Nobody watches."""

    def total(self, count: int | None, what: str = "") -> None: ...

    def advance(self, count: int = 1) -> None: ...

    def note(self, text: str) -> None: ...
