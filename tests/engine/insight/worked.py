"""The worked tables of docs/algorithms: what is printed there is what is computed."""

from __future__ import annotations

from tests.house.source import ROOT


def table(page: str, first_heading: str) -> list[dict[str, str]]:
    """The rows of the table on a page whose first column is headed so, by the names of its columns."""
    lines = (ROOT / "docs" / "algorithms" / f"{page}.md").read_text(encoding="utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(f"| {first_heading} |")]
    assert len(starts) == 1, (page, first_heading, starts)
    names = _cells(lines[starts[0]])
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
