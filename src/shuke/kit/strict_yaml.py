"""YAML as people write documents in it: texts, lists and named parts, no name twice, nothing that unfolds without end."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from shuke.kit import strict_json

MOST = 100_000  # parts, those counted again that an alias repeats


class NotRead(ValueError):
    """The text cannot be read. `code` is not_yaml (`problem`: why, in the reader's words), said_twice (`problem`: the name),
    too_many_parts or bad_text."""

    def __init__(self, place: str, code: str, problem: str = "") -> None:
        self.place, self.code, self.problem = place, code, problem
        super().__init__(f"{place}: {code} {problem}")


class _Wrong(yaml.constructor.ConstructorError):
    """One of our own reasons."""

    def __init__(self, node: Node, code: str, problem: str = "") -> None:
        super().__init__(None, None, problem, node.start_mark)
        self.code = code


class _Texts(yaml.BaseLoader):
    """Every value stays a text: 0.01 is what was written, and not a float near it."""

    def get_single_node(self) -> Node | None:
        node = super().get_single_node()
        if node is not None and self._size(node, {}, set()) > MOST:
            raise _Wrong(node, "too_many_parts")
        return node

    def _size(self, node: Node, known: dict[int, int], within: set[int]) -> int:
        if not isinstance(node, (MappingNode, SequenceNode)):
            return 1
        if id(node) in within:
            raise _Wrong(node, "too_many_parts")
        if id(node) not in known:
            within.add(id(node))
            parts = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
            known[id(node)] = 1 + sum(self._size(part, known, within) for part in parts)
            within.discard(id(node))
        return known[id(node)]

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for name, _ in node.value:
            if name.value in seen:
                raise _Wrong(name, "said_twice", name.value)
            if isinstance(name.value, str):
                seen.add(name.value)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: Any) -> Any:
        if not strict_json.is_text(node.value):
            raise _Wrong(node, "bad_text")
        return super().construct_scalar(node)


def read(text: str) -> Any:
    """YAML or JSON text → texts, lists and dicts. Raises NotRead."""
    try:
        return yaml.load(text, Loader=_Texts)
    except RecursionError as error:
        raise NotRead("document", "too_many_parts") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "document"
        if isinstance(error, _Wrong):
            raise NotRead(place, error.code, error.problem or "") from error
        raise NotRead(place, "not_yaml", str(getattr(error, "problem", "") or error)) from error
