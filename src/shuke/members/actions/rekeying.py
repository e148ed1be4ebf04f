"""Data keys change the master key that wraps them: in small transactions that can be killed between any two."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from shuke.kit import bulk, crypto

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
