"""Who brought whom, as a tree with what each branch is worth. Rings are cut where they close, and said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

DEPTH = 12


class Worth(NamedTuple):
    """What members bought, refunds taken off."""

    friends: int = 0
    buyers: int = 0
    orders: int = 0
    net: int = 0
    rewards: int = 0  # cost of what was given for them, in minor units

    def plus(self, other: Worth) -> Worth:
        return Worth(*(a + b for a, b in zip(self, other, strict=True)))


class Node(NamedTuple):
    """A member in the tree. `own` is this one; `branch` all below, not counting this one."""

    member: int
    depth: int
    own: Worth
    branch: Worth
    children: tuple[Node, ...]
    ring: bool = False  # stands higher up already: the branch ends here
    deeper: bool = False  # has friends below the depth that is shown


def edges(bonds: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """(newcomer, referrer) pairs → friends by referrer, in the order they came."""
    found: dict[int, list[int]] = defaultdict(list)
    for newcomer, referrer in bonds:
        found[referrer].append(newcomer)
    return dict(found)


def branch(below: Mapping[int, list[int]], worth: Mapping[int, Worth], root: int, depth: int = DEPTH) -> Node:
    """The tree from `root` down to `depth` steps; what lies deeper is counted and not shown."""
    return _node(below, worth, root, depth, 0, {root})


def _node(
    below: Mapping[int, list[int]],
    worth: Mapping[int, Worth],
    member: int,
    depth: int,
    at: int,
    path: set[int],
) -> Node:
    own = worth.get(member, Worth())
    friends = below.get(member, [])
    if at >= depth:
        return Node(member, at, own, reach(below, worth, member, path), (), False, bool(friends))
    children, total = [], Worth()
    for friend in friends:
        if friend in path:
            children.append(Node(friend, at + 1, Worth(), Worth(), (), True))
            continue
        child = _node(below, worth, friend, depth, at + 1, path | {friend})
        children.append(child)
        total = total.plus(child.own).plus(child.branch)
    return Node(member, at, own, total, tuple(children))


def reach(below: Mapping[int, list[int]], worth: Mapping[int, Worth], root: int, without: Iterable[int] = ()) -> Worth:
    """Everything below `root`, to any depth, everybody once."""
    seen = {root, *without}
    waiting, total = [root], Worth()
    while waiting:
        for friend in below.get(waiting.pop(), []):
            if friend not in seen:
                seen.add(friend)
                waiting.append(friend)
                total = total.plus(worth.get(friend, Worth()))
    return total
