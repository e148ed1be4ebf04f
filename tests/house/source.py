"""What the tests of the house look at: our own files, parsed."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "shuke"

ROOMS = [
    "kit",
    "engine",
    "connect",
    "shops",
    "members",
    "orders",
    "loyalty",
    "service",
    "insight",
    "engage",
    "flows",
    "doors",
]


@lru_cache(maxsize=1)
def modules() -> list[tuple[Path, ast.Module]]:
    """Every Python module of the package but migrations, with its path below the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        short = path.relative_to(PACKAGE)
        if "migrations" not in short.parts and "node_modules" not in short.parts:
            found.append((short, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call of a method or function with the last part of its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node, node.func.attr
            elif isinstance(node.func, ast.Name):
                yield node, node.func.id


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def tracked() -> list[Path]:
    """Files that git keeps, below the root; a source tree without git gives its files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        return [
            p.relative_to(ROOT)
            for folder in ("src", "tests", "docs", "bench")
            for p in (ROOT / folder).rglob("*")
            if p.is_file()
        ]
    return [Path(name) for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
