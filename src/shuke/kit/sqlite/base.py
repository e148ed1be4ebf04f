"""The backend named in settings.DATABASES."""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    data_types = {**base.DatabaseWrapper.data_types, "BigIntegerField": "integer"}

    def _start_transaction_under_autocommit(self):
        """As Django does it, on the driver itself: a till begins a transaction for every sale."""
        self.connection.execute(f"BEGIN {self.transaction_mode or 'DEFERRED'}")  # type: ignore[attr-defined]

    def _commit(self):
        """As Django does it; its watch over the statement is taken up only when there is somebody to tell or an error."""
        if self.queries_logged or self.connection is None:
            return super()._commit()  # type: ignore[misc]
        try:
            return self.connection.commit()
        except Exception:
            with self.wrap_database_errors:
                raise
