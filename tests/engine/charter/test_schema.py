"""The published schema is the one the engine checks with."""

import json
from pathlib import Path

from shuke.engine.charter import document

FILE = Path(__file__).parents[3] / "docs" / "charter.schema.json"


def test_the_published_schema_is_up_to_date():
    assert json.loads(FILE.read_text()) == document.schema(), (
        "run: .venv/bin/shuke charter schema > docs/charter.schema.json"
    )
