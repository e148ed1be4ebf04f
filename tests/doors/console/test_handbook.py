"""The member handbook: public, cacheable, in both languages, as a page and as a PDF; and exact.

Exact means: somebody who has nothing but the page can compute points. So the test reads the tables and the sentences off
the page, computes with pencil and paper (`Pencil`), and asks the engine for the same basket.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import floor
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.connect.exporters import handbook_pdf
from shuke.doors.console.views.handbook import address_of
from shuke.engine.charter import document
from shuke.engine.charter.terms import Terms, Versions
from shuke.engine.handbook import handbook
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.fold import replay
from shuke.loyalty.actions import publish_charter
from tests import cast

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
READY = ("general", "beauty", "grocer")


def publish(lan, name: str, since: datetime = cast.OPENED, now: datetime = cast.OPENED) -> document.Charter:
    charter = document.ready(name).model_copy(update={"currency": "CNY"})
    publish_charter(merchant=lan.merchant, charter=charter, effective_from=since, now=now, actor="test")
    return charter


# -- pencil and paper ---------------------------------------------------------------------------------------------------


def rows(page: str, table: str) -> list[list[str]]:
    found = re.search(rf'data-table="{table}">.*?<tbody>(.*?)</tbody>', page, re.S)
    assert found is not None
    lines = re.findall(r"<tr>(.*?)</tr>", found[1], re.S)
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.S)] for line in lines]  # fmt: skip


def figure(text: str) -> Decimal:
    found = re.search(r"[\d,]+(\.\d+)?", text)
    assert found is not None, text
    return Decimal(found[0].replace(",", ""))


class Pencil:
    """Computes points from what the English page says, knowing nothing of the engine or the document."""

    def __init__(self, page: str) -> None:
        self.times = {name: figure(times) for name, _, _, times in rows(page, "tiers")}
        self.rules = rows(page, "rules")
        assert "The fraction of a point is dropped" in page
        self.best = "the largest" in re.sub(r"<[^>]*>", "", page)

    def holds(self, when: str, basket: dict) -> bool:
        """Every clause of the condition, by its words."""
        if when == "–":
            return True
        day: date = basket["day"]
        clauses = {
            r"on your first purchase": lambda m: basket["first"],
            r"in the month of your birthday": lambda m: basket["birth_month"] == day.month,
            r"on day ([\d, ]+) of the month": lambda m: str(day.day) in m[1].split(", "),
            r"for orders of [¥$]([\d,.]+) or more": lambda m: basket["paid"] >= figure(m[1]),
            r"on goods of (\w+)": lambda m: basket["category"] == m[1],
        }
        rest, verdict = when, True
        for pattern, test in clauses.items():
            found = re.search(pattern, rest)
            if found:
                verdict = verdict and bool(test(found))
                rest = rest.replace(found[0], "").strip(" ,")
        assert rest == "", f"the pencil cannot read “{rest}”"
        return verdict

    def points(self, basket: dict) -> int:
        sum_, extra, multipliers = Decimal(0), Decimal(0), [self.times[basket["tier"]]]
        capped = None
        for _, gives, each, when, most in self.rules:
            if not self.holds(when, basket):
                continue
            if each != "–":
                base = basket["paid"]
                sum_ += base * figure(gives) / figure(each)
            elif gives.startswith("×"):
                multipliers.append(figure(gives))
                capped = figure(most) if most != "–" else capped
            else:
                extra += figure(gives) if most == "–" else min(figure(gives), figure(most))
        whole = sum_
        for times in [max(multipliers)] if self.best else multipliers[:1] + multipliers[1:]:
            more = whole * times - whole
            if capped is not None and times == multipliers[-1] and len(multipliers) > 1:
                more = min(more, capped)
            whole += more
        return floor(whole) + int(extra)


BASKETS = st.fixed_dictionaries(
    {
        "paid": st.integers(1, 900_00).map(lambda minor: Decimal(minor) / 100),
        "day": st.dates(date(2026, 2, 1), date(2027, 1, 31)),
        "rank": st.integers(0, 3),
        "first": st.booleans(),
        "category": st.sampled_from(["PRODUCE", "GROCERY"]),
        "birth_month": st.integers(1, 12),
    }
)


def engine(charter: document.Charter, basket: dict) -> int:
    terms = Terms(charter, ZONE, 1)
    at = datetime(basket["day"].year, basket["day"].month, basket["day"].day, 12, tzinfo=ZONE).astimezone(UTC)
    minor = int(basket["paid"] * 100)
    told: list[ev.Event] = [ev.TierGiven("t", at - timedelta(hours=1), basket["key"], None)]
    if not basket["first"]:
        told.append(ev.Purchase("before", at - timedelta(days=60), 1))
    told.append(ev.Purchase("it", at, minor, (ev.GoodsLine(minor, basket["category"]),)))
    birthdays = [(None, (basket["birth_month"], 5 if basket["day"].day != 5 else 6, False))]
    fold = replay(Versions([(cast.OPENED - timedelta(days=999), terms)]), told, joined_at=at - timedelta(days=90), birthdays=birthdays)  # fmt: skip
    return -sum(e.legs.get("issued", 0) for e in fold.effects if e.event == "it")


@pytest.mark.parametrize("name", READY)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(basket=BASKETS)
def test_a_member_computes_their_points_from_the_page_alone(client, lan, name, basket):
    if not hasattr(lan.merchant, "page"):
        lan.merchant.charter = publish(lan, name)
        lan.merchant.page = client.get(f"{address_of(lan.merchant)}?lang=en").content.decode()
    charter = lan.merchant.charter
    tier = charter.tiers[basket["rank"] % len(charter.tiers)]
    basket = basket | {"tier": tier.name.en, "key": tier.key}
    assert Pencil(lan.merchant.page).points(basket) == engine(charter, basket)


def test_the_pencil_is_not_the_engine():
    """A page that says something else makes the pencil say something else: the law above can fail."""
    charter = document.ready("general")
    book = handbook(Terms(charter, ZONE, 1), language="en", shop="Lan", since=date(2026, 1, 1))
    assert {t.key for t in book.tables} == {"tiers", "rules"}
    basket = {"paid": Decimal(100), "day": date(2026, 3, 3), "first": False, "category": "X", "birth_month": 9, "tier": charter.tiers[0].name.en}  # fmt: skip

    def page(points: str) -> str:
        table = "".join(f"<tr><th>{c[0]}</th>" + "".join(f"<td>{x}</td>" for x in c[1:]) + "</tr>" for c in [("r", points, "¥1", "–", "–")])  # fmt: skip
        tiers = f"<tr><th>{charter.tiers[0].name.en}</th><td></td><td></td><td>× 1</td></tr>"
        return f'<table data-table="tiers"><tbody>{tiers}</tbody><table data-table="rules"><tbody>{table}</tbody>The fraction of a point is dropped'

    assert Pencil(page("1 point")).points(basket) == 100
    assert Pencil(page("2 points")).points(basket) == 200


@pytest.mark.parametrize("name", [*READY, "kids", "cafe"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_example_adds_up_to_what_it_says(name, language):
    """Rows of an example sum to its total: nothing of how the points come about is left unsaid."""
    book = handbook(Terms(document.ready(name), ZONE, 1), language=language, shop="兰记", since=date(2026, 7, 1))
    assert len(book.examples) >= len(document.ready(name).tiers) + 1
    for example in book.examples:
        total = sum(Decimal(p.replace("−", "-").replace("+ ", "").replace(",", "")) for _, p in example.rows)
        assert total == figure(example.total), example
        assert example.after


@pytest.mark.parametrize("language", ["zh", "en"])
def test_anybody_reads_it_without_signing_in_and_no_cookie_is_set(client, lan, language):
    publish(lan, "beauty")
    answer = client.get(f"{address_of(lan.merchant)}?lang={language}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert not answer.cookies
    page = answer.content.decode()
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in page
    assert lan.merchant.name.replace("'", "&#x27;") in page
    assert ("算给您看" if language == "zh" else "Worked examples") in page
    again = client.get(f"{address_of(lan.merchant)}?lang={language}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_new_version_has_its_day(client, lan, monkeypatch):
    publish(lan, "general")
    publish(lan, "beauty", since=cast.NOON + timedelta(days=3), now=cast.NOON)
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: cast.NOON)
    address = address_of(lan.merchant)
    now = client.get(f"{address}?lang=en")
    assert "From 2026-06-04 on a new version counts." in now.content.decode()
    assert "Supreme VIP" in client.get(f"{address}?lang=en&version=2").content.decode()
    monkeypatch.setattr("shuke.shops.queries.clock.utc_now", lambda: cast.NOON + timedelta(days=4))
    then = client.get(f"{address}?lang=en", headers={"If-None-Match": now.headers["ETag"]})
    assert then.status_code == 200
    assert "Supreme VIP" in then.content.decode()


def test_what_is_not_there_is_not_found(client, lan, mingde):
    publish(lan, "general")
    assert client.get(address_of(mingde.merchant)).status_code == 404  # has no charter
    for address in ("/handbook/xyz", "/handbook/0", "/handbook/ffffffffffffffffffff"):
        assert client.get(address).status_code == 404
    assert client.get(f"{address_of(lan.merchant)}?version=7").status_code == 404
    assert client.post(address_of(lan.merchant)).status_code == 405


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ["会员手册", "每消费", "算给您看"]), ("en", ["Member handbook", "Worked examples"])]
)
def test_the_pdf_says_the_same_with_its_font_in_it(client, lan, language, words):
    import pypdfium2

    publish(lan, "beauty")
    answer = client.get(f"{address_of(lan.merchant)}/pdf?lang={language}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    data = answer.content
    assert len(data) < 400_000 < handbook_pdf.FONT.stat().st_size  # only the glyphs that are used
    assert b"/FontFile" in data
    pages = pypdfium2.PdfDocument(data)
    text = "".join(page.get_textpage().get_text_range() for page in pages).replace("\r\n", "")
    for word in words:
        assert word in text
    book = handbook(Terms(document.ready("beauty"), ZONE, 1), language=language, shop="x", since=date(2026, 1, 1))
    # A sentence may go on overleaf: without what stands above and below on every page.
    inner = [page.get_textpage().get_text_range().splitlines()[1 if n else 0 : -1] for n, page in enumerate(pages)]
    squeezed = re.sub(r"\s", "", "".join(line for page in inner for line in page))
    for section in book.sections:
        for sentence in section.sentences:
            assert re.sub(r"\s", "", sentence) in squeezed, sentence
    assert client.get(f"{address_of(lan.merchant)}/pdf?lang={language}").content == data


def test_without_the_font_it_says_what_to_do(lan, monkeypatch, tmp_path):
    monkeypatch.setattr(handbook_pdf, "FONT", tmp_path / "none.ttf")
    book = handbook(Terms(document.ready("general"), ZONE, 1), language="en", shop="x", since=date(2026, 1, 1))
    with pytest.raises(handbook_pdf.NoFont, match="make setup"):
        handbook_pdf.pdf(book)
