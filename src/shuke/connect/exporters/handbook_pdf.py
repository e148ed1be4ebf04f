"""The member handbook as a PDF: A4, one font with Chinese and Latin embedded as far as it is used, text that can be searched.

The font (Noto Sans SC, SIL Open Font License) comes by a package at set-up and lies in `fonts/`; nothing is fetched when a
handbook is made. The same handbook always gives the same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from shuke.engine.handbook import Example, Handbook, Table

FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
INK, QUIET, JADE, WASH, LINE = (31, 45, 61), (91, 102, 117), (11, 122, 91), (230, 243, 238), (223, 227, 232)


class NoFont(RuntimeError):
    """The font was not put in place at set-up."""


class _Pages(FPDF):
    """Header and footer of every page."""

    def __init__(self, book: Handbook) -> None:
        super().__init__("portrait", "mm", "A4")
        self.book = book
        self.set_margins(20, 18, 20)
        self.set_auto_page_break(True, 20)
        self.add_font("noto", fname=str(FONT))
        self.set_lang("zh-Hans" if book.language == "zh" else "en")
        self.set_title(f"{book.shop} · {book.title}")
        self.set_creator("Shuke")
        self.set_creation_date(datetime(book.since.year, book.since.month, book.since.day, tzinfo=UTC))
        self.set_font("noto", size=10.5)

    def header(self) -> None:
        if self.page_no() == 1:
            return
        self.set_font("noto", size=8)
        self.set_text_color(*QUIET)
        self.cell(0, 5, f"{self.book.shop} · {self.book.title}", new_x="LMARGIN", new_y="NEXT")
        self.ln(3)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("noto", size=8)
        self.set_text_color(*QUIET)
        words = self.book.words["page"].format(page=self.page_no(), pages="{nb}")
        self.cell(0, 5, words, align="C")


def pdf(book: Handbook) -> bytes:
    """The handbook's pages. Raises NoFont."""
    if not FONT.exists():
        raise NoFont("The font for printing is not installed. Run `make setup`, or install the wheel anew.")
    pages = _Pages(book)
    pages.add_page()
    _front(pages)
    for section in book.sections:
        _heading(pages, section.title)
        for table in book.tables:
            if (table.key, section.key) in (("tiers", "tiers"), ("rules", "earning")):
                _table(pages, table)
        for sentence in section.sentences:
            _clause(pages, sentence)
        if section.key == "earning":
            _heading(pages, book.words["how"], small=True)
            for n, step in enumerate(book.how, 1):
                _clause(pages, step, f"{n}.")
    _heading(pages, book.words["examples"])
    for example in book.examples:
        _example(pages, example)
    pages.ln(4)
    pages.set_text_color(*QUIET)
    pages.set_font("noto", size=9)
    pages.multi_cell(0, 5, book.words["made"], new_x="LMARGIN", new_y="NEXT")
    return bytes(pages.output())


def _front(pages: _Pages) -> None:
    book = pages.book
    pages.set_fill_color(*JADE)
    pages.rect(0, 0, 210, 6, style="F")
    pages.ln(8)
    pages.set_text_color(*JADE)
    pages.set_font("noto", size=12)
    pages.multi_cell(0, 7, f"{book.shop} · {book.words['handbook']}", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*INK)
    pages.set_font("noto", size=22)
    pages.multi_cell(0, 11, book.title, new_x="LMARGIN", new_y="NEXT", align="L")
    pages.set_text_color(*QUIET)
    pages.set_font("noto", size=10)
    words = book.words["version"].format(version=book.version, since=book.since)
    pages.multi_cell(0, 6, words, new_x="LMARGIN", new_y="NEXT")
    pages.ln(2)


def _heading(pages: _Pages, text: str, *, small: bool = False) -> None:
    if pages.will_page_break(28):
        pages.add_page()
    pages.ln(3 if small else 5)
    pages.set_text_color(*(INK if small else JADE))
    pages.set_font("noto", size=11.5 if small else 14)
    pages.multi_cell(0, 7, text, new_x="LMARGIN", new_y="NEXT", align="L")
    if not small:
        pages.set_draw_color(*LINE)
        pages.line(pages.l_margin, pages.get_y(), pages.w - pages.r_margin, pages.get_y())
    pages.ln(1.5)
    pages.set_text_color(*INK)
    pages.set_font("noto", size=10.5)


def _clause(pages: _Pages, text: str, mark: str = "·") -> None:
    pages.set_font("noto", size=10.5)
    pages.set_text_color(*INK)
    left = pages.l_margin
    pages.cell(6, 6, mark)
    pages.set_left_margin(left + 6)
    pages.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT", align="L")
    pages.set_left_margin(left)
    pages.set_x(left)


def _table(pages: _Pages, table: Table) -> None:
    widths = {"tiers": (22, 62, 46, 22), "rules": (36, 22, 18, 52, 32)}[table.key]
    pages.set_font("noto", size=9)
    pages.set_draw_color(*LINE)
    pages.set_fill_color(255, 255, 255)
    with pages.table(
        col_widths=widths,
        line_height=5.2,
        padding=(1.4, 1.6),
        text_align="LEFT",
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(color=JADE, fill_color=WASH),
    ) as drawn:
        for row in (table.columns, *table.rows):
            cells = drawn.row()
            for cell in row:
                cells.cell(cell)
    pages.ln(2)
    pages.set_font("noto", size=10.5)


def _example(pages: _Pages, example: Example) -> None:
    book = pages.book
    if pages.will_page_break(14 + 5.4 * (len(example.rows) + 2)):
        pages.add_page()
    pages.ln(2)
    pages.set_font("noto", size=10.5)
    pages.set_text_color(*INK)
    pages.multi_cell(0, 6, example.story, new_x="LMARGIN", new_y="NEXT", align="L")
    pages.set_font("noto", size=9.5)
    for name, points in example.rows:
        pages.set_x(pages.l_margin + 6)
        pages.cell(104, 5.4, name)
        pages.cell(30, 5.4, points, align="R", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*JADE)
    pages.set_draw_color(*LINE)
    pages.line(pages.l_margin + 6, pages.get_y(), pages.l_margin + 140, pages.get_y())
    pages.set_x(pages.l_margin + 6)
    pages.cell(104, 6, book.words["total"])
    pages.cell(30, 6, example.total, align="R", new_x="LMARGIN", new_y="NEXT")
    if example.after:
        pages.set_text_color(*QUIET)
        pages.set_x(pages.l_margin + 6)
        pages.cell(0, 5.4, example.after, new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*INK)
