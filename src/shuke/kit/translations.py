"""Catalogues of translated texts without the gettext programs: extract, compile, check.

    python -m shuke.kit.translations extract   new texts of the source into locale/*/LC_MESSAGES/django.po
    python -m shuke.kit.translations compile   django.po → django.mo; set-up calls this
    python -m shuke.kit.translations check     exit 1 if a text is missing, fuzzy, unused, or loses a placeholder

Texts are English in the source. Extracting and compiling need polib, a development dependency; a wheel carries the
compiled catalogues.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polib

PACKAGE = Path(__file__).resolve().parents[1]
LOCALE = PACKAGE / "locale"

# Calls that mark a text → position of (context, text, plural) among their arguments.
_MARKS: dict[str, tuple[int | None, int, int | None]] = {
    name: places
    for names, places in (
        (("_", "gettext", "gettext_lazy", "gettext_noop"), (None, 0, None)),
        (("ngettext", "ngettext_lazy"), (None, 0, 1)),
        (("pgettext", "pgettext_lazy"), (0, 1, None)),
        (("npgettext", "npgettext_lazy"), (0, 1, 2)),
    )
    for name in names
}
_CALL = re.compile(rf"(?<![\w.])({'|'.join(sorted(_MARKS, key=len, reverse=True))})\(")
_LITERAL = re.compile(r"\s*[uU]?((?:'(?:\\.|[^'\\])*')|(?:\"(?:\\.|[^\"\\])*\"))\s*,?", re.S)
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")


class Text(NamedTuple):
    """One text to be translated, and where it stands in the source."""

    context: str | None
    text: str
    plural: str | None
    place: str


def texts(package: Path = PACKAGE) -> Iterator[Text]:
    """Every marked text of the package, in the order of the files."""
    for path in sorted(package.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield from _in_python(path, path.relative_to(package).as_posix())
        elif path.suffix in (".html", ".txt") and "templates" in path.parts:
            yield from _in_template(path, path.relative_to(package).as_posix())


def _in_python(path: Path, name: str) -> Iterator[Text]:
    source = path.read_text()
    if not _CALL.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in _MARKS:
                words = [
                    a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args
                ]
                yield from _marked(called, words, f"{name}:{node.lineno}")


def _in_template(path: Path, name: str) -> Iterator[Text]:
    from django.utils.translation.template import templatize

    marked = templatize(path.read_text(), origin=str(path))
    for call in _CALL.finditer(marked):
        words: list[str | None] = []
        at = call.end()
        while found := _LITERAL.match(marked, at):
            words.append(ast.literal_eval(found[1].replace("\n", "\\n")))
            at = found.end()
        yield from _marked(call[1], words, f"{name}:{marked.count(chr(10), 0, call.start()) + 1}")


def _marked(called: str, words: list[str | None], place: str) -> Iterator[Text]:
    context, text, plural = _MARKS[called]

    def word(position: int | None) -> str | None:
        return words[position] if position is not None and position < len(words) else None

    if found := word(text):
        yield Text(word(context), found, word(plural), place)


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def extract() -> list[str]:
    """Bring each catalogue up to date: new texts come in untranslated, those gone from the source leave. Says what changed."""
    import polib

    wanted: dict[tuple[str | None, str], Text] = {}
    places: dict[tuple[str | None, str], set[str]] = {}
    for text in texts():
        key = (text.context, text.text)
        if key not in wanted or (text.plural and not wanted[key].plural):
            wanted[key] = text
        places.setdefault(key, set()).add(text.place.partition(":")[0])
    said = []
    for path in catalogues():
        catalogue = polib.pofile(str(path), wrapwidth=110)
        kept = {(e.msgctxt, e.msgid): e for e in catalogue}
        fresh = polib.POFile(wrapwidth=110)
        fresh.metadata = catalogue.metadata
        for key, text in sorted(
            wanted.items(), key=lambda item: (sorted(places[item[0]])[0], item[0][1], item[0][0] or "")
        ):
            entry = kept.get(key)
            if entry is None or bool(entry.msgid_plural) != bool(text.plural):
                entry = polib.POEntry(msgctxt=text.context, msgid=text.text)
                if text.plural:
                    entry.msgid_plural, entry.msgstr_plural = text.plural, {0: ""}
                said.append(f"{path.parent.parent.name}: new: {text.text!r}")
            # Files without line numbers: moving a line must not change the catalogue.
            entry.occurrences = [(file, "") for file in sorted(places[key])]
            entry.flags = [f for f in entry.flags if f == "fuzzy"]
            if "%(" in text.text:
                entry.flags.append("python-format")
            fresh.append(entry)
        said += [
            f"{path.parent.parent.name}: gone: {msgid!r}" for context, msgid in kept if (context, msgid) not in wanted
        ]
        fresh.save(str(path))
    return said


def compile_all() -> list[Path]:
    """Write a .mo beside every .po; answers the files written."""
    import polib

    written = []
    for path in catalogues():
        target = path.with_suffix(".mo")
        polib.pofile(str(path)).save_as_mofile(str(target))
        written.append(target)
    return written


def check() -> list[str]:
    """What is wrong with the catalogues, as sentences; empty when all is well."""
    import polib

    wrong = []
    for path in catalogues():
        language = path.parent.parent.name
        known = {(e.msgctxt, e.msgid): e for e in polib.pofile(str(path))}
        seen = set()
        for text in texts():
            key = (text.context, text.text)
            if key in seen:
                continue
            seen.add(key)
            entry = known.get(key)
            if entry is None or not _translated(entry):
                wrong.append(f"{language}: {text.place}: no translation of {text.text!r}")
            elif entry.fuzzy:
                wrong.append(f"{language}: {text.place}: unsure translation of {text.text!r}")
            else:
                wrong += [f"{language}: {text.place}: {fault}" for fault in _lost(entry)]
        wrong += [
            f"{language}: {msgid!r} is translated but no longer in the source"
            for c, msgid in known
            if (c, msgid) not in seen
        ]
    return wrong


def _translated(entry: polib.POEntry) -> bool:
    return all(entry.msgstr_plural.values()) if entry.msgid_plural else bool(entry.msgstr)


def _lost(entry: polib.POEntry) -> Iterator[str]:
    """Placeholders that a translation does not have, or makes up."""
    asked = set(_PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    for said in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
        if set(_PLACEHOLDER.findall(said)) != asked:
            yield f"placeholders differ between {entry.msgid!r} and {said!r}"


def main(arguments: list[str]) -> int:
    """The command; answers the exit code."""
    if arguments == ["extract"]:
        print("\n".join(extract()) or "nothing new")
    elif arguments == ["compile"]:
        print("\n".join(str(path.relative_to(PACKAGE)) for path in compile_all()))
    elif arguments == ["check"]:
        wrong = check()
        print("\n".join(wrong) or "every text is translated")
        return 1 if wrong else 0
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    # Templates are read by Django's own extractor, which wants settings but nothing of ours.
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_I18N=True)
    sys.exit(main(sys.argv[1:]))
