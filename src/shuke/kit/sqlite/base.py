"""The backend named in settings.DATABASES."""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    data_types = {**base.DatabaseWrapper.data_types, "BigIntegerField": "integer"}
