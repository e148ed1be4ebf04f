"""`shuke …` in this very process, on the test's database: the same group the program calls."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from shuke.doors.cli.main import cli


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def shuke(monkeypatch):
    def call(*arguments: str, input: str | None = None) -> Said:
        monkeypatch.setattr("sys.argv", ["shuke", *arguments])
        result = CliRunner(env={"SHUKE_LANGUAGE": "en", "COLUMNS": "200"}).invoke(cli, list(arguments), input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return call
