"""The backend named in settings.DATABASES."""

import random
import sqlite3
import time
from datetime import datetime

from django.db.backends.sqlite3 import base
from django.utils.dateparse import parse_datetime


def _moment(text: bytes) -> datetime | None:
    """An instant as Django writes it, in UTC, read as what it is: aware at once, for a fifth of the time it takes to read
    it first and to say afterwards where the clock stood. What somebody else wrote is read as Django reads it."""
    try:
        return datetime.fromisoformat(text.decode() + "+00:00")
    except ValueError:
        return parse_datetime(text.decode())


sqlite3.register_converter("datetime", _moment)


class DatabaseWrapper(base.DatabaseWrapper):
    data_types = {**base.DatabaseWrapper.data_types, "BigIntegerField": "integer"}

    def _start_transaction_under_autocommit(self):
        """As Django does it, on the driver itself: a till begins a transaction for every sale.

        SQLite has one writer and no queue. Left to itself, who waits looks again after up to a tenth of a second and may miss every
        moment in which a night lets the tills in; here they look every millisecond, for as long as the connection's time-out says.
        """
        driver = self.connection
        begin = f"BEGIN {self.transaction_mode or 'DEFERRED'}"  # type: ignore[attr-defined]
        patience = float(self.settings_dict["OPTIONS"].get("timeout", 5))
        driver.execute("PRAGMA busy_timeout = 0")
        until = None
        try:
            while True:
                try:
                    driver.execute(begin)
                    return
                except sqlite3.OperationalError as error:
                    now = time.monotonic()
                    until = until or now + patience
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or now > until:
                        with self.wrap_database_errors:  # the driver's error as Django's, which the doors know
                            raise
                    time.sleep(random.uniform(0.0005, 0.0015))
        finally:
            driver.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")

    def _commit(self):
        """As Django does it; its watch over the statement is taken up only when there is somebody to tell or an error."""
        if self.queries_logged or self.connection is None:
            return super()._commit()  # type: ignore[misc]
        try:
            return self.connection.commit()
        except Exception:
            with self.wrap_database_errors:
                raise
