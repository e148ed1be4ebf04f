"""What lies in the tree: nothing of this or that machine, no template that nobody shows, complete translations."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

from shuke.kit import translations
from tests.house.source import PACKAGE, ROOT, tracked

# Written apart, so that this file does not name what it looks for.
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js",
    "deb.debian" + ".org",
    "registry.npm" + "mirror",
)
MACHINE = re.compile(r"(?<![\w.])/(work|opt|root|Users)/[a-z]")


def texts():
    for path in tracked():
        if path.suffix in (".png", ".jpg", ".ico", ".xlsx", ".zip", ".xls", ".parquet", ".mo", ".woff2"):
            continue
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a sample export in another encoding


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine():
    wrong = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if any(host in line for host in HOSTS) or MACHINE.search(line):
                wrong.append(f"{path}:{number}")
    assert wrong == []


def test_locked_packages_have_hashes_and_no_addresses():
    for name in ("base", "dev", "build", "node", "demo"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\$", text, re.M)
        wanted = re.findall(r"^[a-z0-9]", text, re.M)
        assert pinned, name
        assert len(pinned) == len(wanted), name
        assert text.count("--hash=sha256:") >= len(pinned), name
        assert not re.search(r"https?:|^-", text, re.M), name
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_pandas_stays_out_of_what_is_installed():
    """The packages of the demo's and the tests' data name pandas and more; their files are read without them."""
    for name in ("base", "demo", "data", "dev"):
        assert not re.search(r"^(pandas|pyarrow|autograd)==", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)


def test_every_template_is_shown_by_somebody():
    folders = [path for path in PACKAGE.rglob("templates") if path.is_dir()]
    names = {page.relative_to(folder).as_posix() for folder in folders for page in folder.rglob("*") if page.is_file()}
    by_django = {"400.html", "403.html", "404.html", "500.html", "403_csrf.html"}
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for kind in ("*.py", "*.html")
        for path in PACKAGE.rglob(kind)
        if path.is_file()
    )
    assert sorted(name for name in names - by_django if f'"{name}"' not in source and f"'{name}'" not in source) == []


def test_every_text_is_translated():
    assert translations.catalogues(), "there is no catalogue at all"
    assert translations.check() == []


def test_behind_tls_django_has_no_warning_about_the_deployment(tmp_path):
    environment = {
        **os.environ,
        "SHUKE_HOME": str(tmp_path),
        "SHUKE_HTTPS": "1",
        "DJANGO_SETTINGS_MODULE": "shuke.settings",
        "PYTHONPATH": str(ROOT / "src"),
    }
    for name in ("SHUKE_DEBUG", "DJANGO_ALLOW_ASYNC_UNSAFE"):  # of the test run, not of a shop
        environment.pop(name, None)
    told = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert told.stdout.strip() == "System check identified no issues (0 silenced).", told.stderr


def test_the_front_end_is_pinned_exactly():
    declared = json.loads((ROOT / "frontend" / "package.json").read_text())
    versions = {**declared.get("dependencies", {}), **declared.get("devDependencies", {})}
    assert versions
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
