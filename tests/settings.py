"""Settings of the test run: the real ones, over a home of its own that is gone afterwards.

pytest-django reads settings before any conftest.py, so the home has to be chosen here. Every pytest process (xdist
starts several) gets another one; what a test starts as a subprocess inherits it.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_home = tempfile.mkdtemp(prefix="shuke-test-")
_owner = os.getpid()
os.environ["SHUKE_HOME"] = _home
os.environ.pop("SHUKE_HTTPS", None)
os.environ.pop("SHUKE_DEBUG", None)
# Playwright runs an event loop in this very thread; Django would refuse every query beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from shuke.settings import *  # noqa: E402, F403
from shuke.settings import DATABASES, STORAGES  # noqa: E402


@atexit.register
def _forget_home() -> None:
    if os.getpid() == _owner:  # not in a fork of ours
        shutil.rmtree(_home, ignore_errors=True)


PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 is slow on purpose
(Path(_home) / "static").mkdir()
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}  # no collectstatic needed
if DATABASES["default"]["ENGINE"].endswith("sqlite"):
    # A file, not memory: live servers and worker subprocesses open the same database, in the same WAL mode as a shop's.
    DATABASES["default"]["TEST"] = {"NAME": Path(_home) / "test.sqlite3"}
    # Who starts several runs (.ci/test, tests/trust/mutants.py) makes the tables once, by tests/tables.py.
    if _tables := os.environ.get("SHUKE_TEST_TABLES"):
        _worker = os.environ.get("PYTEST_XDIST_WORKER")  # whose name pytest-django hangs on
        shutil.copyfile(_tables, Path(_home) / (f"test.sqlite3_{_worker}" if _worker else "test.sqlite3"))
elif _template := os.environ.get("SHUKE_TEST_TEMPLATE"):  # of .ci/postgres
    DATABASES["default"]["TEST"] = {"TEMPLATE": _template}
