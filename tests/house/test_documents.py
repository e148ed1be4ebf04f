"""Every command and every setting is documented, and nothing is documented that does not exist."""

from __future__ import annotations

import ast
import re

import click

from shuke.doors.cli.main import COMMANDS, cli
from tests.house.source import ROOT, calls, modules


def commands(group: click.Group, above: tuple[str, ...] = ()) -> list[tuple[str, click.Command]]:
    """Every command with its full name: "members find"."""
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            found += commands(command, (*above, name))
        else:
            found.append((" ".join((*above, name)), command))
    return found


def test_every_command_is_documented_and_no_other():
    documented = re.findall(r"^### `shuke ([a-z -]+)`", (ROOT / "docs" / "commands.md").read_text(), re.M)
    assert sorted(name.strip() for name in documented) == sorted(name for name, _ in commands(cli))


def test_every_command_answers_json_and_shows_an_example():
    for name, command in commands(cli):
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, name
        assert f"shuke {name.split()[0]}" in (command.help or ""), name


def test_the_list_of_commands_is_that_of_the_modules():
    for name, (_module, about) in COMMANDS.items():
        assert about, name
        assert cli.get_command(click.Context(cli), name).name == name


def settings_read() -> set[str]:
    """Names of environment variables that the package reads."""
    names = set()
    for _path, tree in modules():
        for node, name in calls(tree):
            reads = name in ("getenv", "_secret") or (name == "get" and "environ" in ast.unparse(node.func))
            if reads and node.args and isinstance(node.args[0], ast.Constant):
                names.add(node.args[0].value)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Subscript)
                and ast.unparse(node.value) == "os.environ"
                and isinstance(node.slice, ast.Constant)
            ):
                names.add(node.slice.value)
    return {name for name in names if isinstance(name, str) and (name.startswith("SHUKE_") or name == "DATABASE_URL")}


def test_every_setting_is_documented_and_no_other():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.M))
    read = settings_read() | {"SHUKE_LANGUAGE"}  # read in a loop over names
    assert documented == read


def test_the_readme_names_both_commands():
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme
    assert "make test" in readme


def test_every_test_a_document_names_exists():
    """A table that says which test shows a thing must not outlive the test."""
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    for path in sorted((ROOT / "docs").rglob("*.md")):
        named = set(re.findall(r"`(test_[a-z]\w+)`", path.read_text()))
        assert named - written == set(), path.name
