"""The catalogues: every text of the source is translated, nothing else is, and placeholders survive."""

from __future__ import annotations

import gettext
from pathlib import Path

import polib
import pytest

from shuke.kit import translations
from shuke.kit.translations import Text


def test_every_text_of_the_source_is_translated():
    assert translations.check() == []


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package with an empty Chinese catalogue."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "shop.py").write_text(
        'title = _("Members")\n'
        'left = ngettext("%(n)s day", "%(n)s days", n)\n'
        'stage = pgettext("stage", "Lost")\n'
        "never = gettext(variable)\n"
    )
    (tmp_path / "templates" / "page.html").write_text(
        '{% load i18n %}{% translate "Members" %}{% translate "80 % of it" %}'
        "{% blocktranslate count n=days %}{{ n }} month{% plural %}{{ n }} months{% endblocktranslate %}"
        '<a title="{% translate \'It’s "new"\' %}">'
    )
    catalogue = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    catalogue.mkdir(parents=True)
    empty = polib.POFile()
    empty.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=1; plural=0;"}
    empty.save(str(catalogue / "django.po"))
    monkeypatch.setattr(translations, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(translations.texts, "__defaults__", (tmp_path,))
    return tmp_path


def catalogue(package: Path) -> Path:
    return package / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def translate(package: Path, words: dict[str, str]) -> None:
    known = polib.pofile(str(catalogue(package)))
    for entry in known:
        if entry.msgid in words:
            if entry.msgid_plural:
                entry.msgstr_plural = {0: words[entry.msgid]}
            else:
                entry.msgstr = words[entry.msgid]
    known.save()


ALL = {
    "Members": "会员",
    "%(n)s day": "%(n)s 天",
    "Lost": "流失",
    "80 %% of it": "其中 80%%",
    "%(n)s month": "%(n)s 个月",
    'It’s "new"': "新的",
}


def test_marked_texts_are_found_in_python_and_templates(package):
    assert list(translations.texts()) == [
        Text(None, "Members", None, "shop.py:1"),
        Text(None, "%(n)s day", "%(n)s days", "shop.py:2"),
        Text("stage", "Lost", None, "shop.py:3"),
        Text(None, "Members", None, "templates/page.html:1"),
        Text(None, "80 %% of it", None, "templates/page.html:1"),
        Text(None, "%(n)s month", "%(n)s months", "templates/page.html:1"),
        Text(None, 'It’s "new"', None, "templates/page.html:1"),
    ]


def test_extracting_twice_changes_nothing_and_keeps_translations(package):
    assert len(translations.extract()) == 6
    translate(package, ALL)
    before = catalogue(package).read_bytes()
    assert translations.extract() == []
    assert catalogue(package).read_bytes() == before
    assert translations.check() == []


def test_a_missing_an_unused_and_a_damaged_translation_are_told(package):
    translations.extract()
    translate(package, ALL | {"%(n)s day": "若干天"})
    (package / "shop.py").write_text('a = _("Orders")\nb = ngettext("%(n)s day", "%(n)s days", n)\n')
    assert sorted(translations.check()) == [
        "zh_Hans: 'Lost' is translated but no longer in the source",
        "zh_Hans: shop.py:1: no translation of 'Orders'",
        "zh_Hans: shop.py:2: placeholders differ between '%(n)s day' and '若干天'",
    ]
    assert translations.extract() == ["zh_Hans: new: 'Orders'", "zh_Hans: gone: 'Lost'"]


def test_an_unsure_translation_does_not_pass(package):
    translations.extract()
    translate(package, ALL)
    known = polib.pofile(str(catalogue(package)))
    next(entry for entry in known if entry.msgid == "Members").flags.append("fuzzy")
    known.save()
    translations.extract()
    assert translations.check() == ["zh_Hans: shop.py:1: unsure translation of 'Members'"]


def test_the_compiled_catalogue_is_read_by_the_standard_library(package):
    translations.extract()
    translate(package, ALL)
    assert translations.compile_all() == [catalogue(package).with_suffix(".mo")]
    read = gettext.translation("django", package / "locale", ["zh_Hans"])
    assert read.gettext("Members") == "会员"
    assert read.ngettext("%(n)s day", "%(n)s days", 3) == "%(n)s 天"
    assert read.pgettext("stage", "Lost") == "流失"
