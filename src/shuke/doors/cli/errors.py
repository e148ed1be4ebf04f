"""What went wrong, as one sentence and an exit code.

0 done · 1 refused or not valid · 2 the command was written wrongly · 3 the machine or the database is not ready ·
4 a mistake of ours. Ctrl-C ends with 130. SHUKE_DEBUG=1 shows the traceback as well.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback

from shuke.doors.cli.refusals import in_chinese
from shuke.doors.cli.words import _, language
from shuke.kit.refusal import Refusal

REFUSED, USAGE, NOT_READY, OUR_MISTAKE, INTERRUPTED = 1, 2, 3, 4, 130


class Refused(Exception):
    """What was asked cannot be done; the message says why and what to do."""


class NotReady(Exception):
    """The machine or the database is not as it must be; the message says what to do."""


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence for the operator, and the exit code."""
    if isinstance(error, Refused):
        return str(error), REFUSED
    if isinstance(error, NotReady):
        return str(error), NOT_READY
    if isinstance(error, Refusal):
        return error.say(language()), REFUSED
    causes = _chain(error)
    full = any(isinstance(cause, OSError) and cause.errno == errno.ENOSPC for cause in causes)
    if (
        type(error).__module__.startswith("shuke.")
        and str(error)
        and not isinstance(error, AssertionError)
        and not full
    ):
        # The rooms define an exception per thing that can go wrong, each with a sentence for the person at the desk.
        return (in_chinese(str(error)) if language() == "zh-hans" else str(error)), REFUSED
    if any(isinstance(cause, OverflowError) or type(cause).__name__ == "NumericValueOutOfRange" for cause in causes):
        return _(
            "A number or a day here is larger than a shop can have. Write a smaller one; nothing was changed."
        ), REFUSED
    for cause in causes:
        if isinstance(cause, OSError):
            return _system(cause), NOT_READY
        if sentence := _database(cause):
            return sentence, NOT_READY
    sentence = _(
        "Shuke made a mistake here: {error}. Nothing half done was kept. Please report it with the output of SHUKE_DEBUG=1."
    )
    return sentence.format(error=f"{type(error).__name__}: {error}"), OUR_MISTAKE


def show_traceback(error: BaseException) -> None:
    if os.environ.get("SHUKE_DEBUG") == "1":
        traceback.print_exception(error, file=sys.stderr)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    return chain


def _system(error: OSError) -> str:
    where = error.filename or os.environ.get("SHUKE_HOME") or ""
    if error.errno == errno.ENOSPC:
        return _disk_full(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _(
            "No permission for {where}. Run this as the user that owns it, or set SHUKE_HOME to a folder you may write."
        ).format(where=where)
    if error.errno == errno.ENOENT:
        return _("There is no file {where}. Check the name and the folder.").format(where=where)
    if error.errno == errno.EISDIR:
        return _("{where} is a folder; a file was expected.").format(where=where)
    return _("The system refused {where}: {reason}.").format(where=where, reason=error.strerror or error)


def _disk_full(where: object) -> str:
    return _(
        "The disk is full ({where}). Free some space and run the same command again: what was committed is kept, the rest goes on from there."
    ).format(where=where)


def _database(error: BaseException) -> str:
    from django.db import DatabaseError
    from django.db import Error as AnyDatabaseError

    if type(error).__name__ == "InconsistentMigrationHistory":
        return _(
            "The database was made by a version of Shuke that was never released. Keep its files, and begin in another SHUKE_HOME."
        )
    if not isinstance(error, AnyDatabaseError):
        return ""
    text = str(error).lower()
    if "database or disk is full" in text or "no space left" in text:
        from django.conf import settings

        return _disk_full(settings.SHUKE_HOME)
    if "no such table" in text or "no such column" in text or "undefined" in type(error.__cause__).__name__.lower():
        return _(
            "The database does not have the tables of this version. Run `shuke init`: it brings the database up to date and keeps all data."
        )
    if "database is locked" in text:
        return _(
            "Another process is writing to the database and did not finish within 30 seconds. Try again, or stop the other one."
        )
    if "unable to open database" in text:
        from django.conf import settings

        return _(
            "The database {where} cannot be opened. Check that the folder exists and that you may write there."
        ).format(where=settings.DATABASES["default"]["NAME"])
    if "file is not a database" in text or "malformed" in text:
        from django.conf import settings

        return _("The file {where} is not a database, or is damaged. Restore it from a backup.").format(
            where=settings.DATABASES["default"]["NAME"]
        )
    if not isinstance(error, DatabaseError) or "connection" in text or "could not translate host" in text:
        return _("The database server does not answer: {reason}. Check DATABASE_URL and that the server runs.").format(
            reason=str(error).strip().splitlines()[0]
        )
    return ""
