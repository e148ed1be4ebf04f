"""Data keys change the master key that wraps them: in small transactions that can be killed between any two. And when
nothing is left under the older master keys, these can be retired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from shuke.kit import bulk, crypto
from shuke.kit.models import RetiredKey
from shuke.members.queries import keys

PER_TRANSACTION = 1000


def rewrap(*, progress: Callable[[int], None] | None = None) -> int:
    """Wrap every data key that an older master key wraps with the newest one; how many there were.

    What is sealed is not touched: a data key stays what it is, only its wrapping changes. Old wrappings open all the
    while, and a run that was killed goes on where it stopped, because what is done says so itself (`version`).
    """
    newest, done, last = crypto.newest_version(), 0, 0
    while True:
        with transaction.atomic():
            lock = " FOR NO KEY UPDATE" if bulk.is_postgres() else ""
            rows = bulk.select(
                "SELECT member_id, merchant_id, wrapped, version FROM members_data_key WHERE version < %s "
                f"AND member_id > %s ORDER BY member_id LIMIT %s{lock}",
                [newest, last, PER_TRANSACTION],
            )
            if not rows:
                return done
            bulk.update(
                "members_data_key",
                ("wrapped", "version"),
                [
                    (crypto.rewrap(bytes(wrapped), member, merchant, version), newest, member)
                    for member, merchant, wrapped, version in rows
                ],
                key="member_id",
            )
        done, last = done + len(rows), rows[-1][0]
        if progress is not None:
            progress(len(rows))


class StillNeeded(RuntimeError):
    """Something is still under an older key."""


def retire(*, now: datetime) -> int:
    """Keep all older master keys in the database, sealed by the newest, so that they can be left out of SHUKE_MASTER_KEY;
    how many. Raises StillNeeded.

    What was made by an older key alone stays readable with it; who finds an old copy of that key and of this database
    cannot compute the indexes, because those are under the newest too.
    """
    newest = crypto.newest_version()
    with transaction.atomic():
        if keys.span(writing=True) != (newest, newest) or any(version < newest for version in keys.wrapped_by()):
            raise StillNeeded("Members or indexes are still under an older key. Run `shuke keys rotate` first.")
        sealed = crypto.sealed_masters()
        for number, text in sealed:
            RetiredKey.objects.update_or_create(number=number, defaults={"under": newest, "sealed": text, "at": now})
    return len(sealed)
