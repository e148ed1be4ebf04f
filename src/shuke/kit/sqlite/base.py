"""The backend named in settings.DATABASES."""

from typing import ClassVar

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    data_types: ClassVar[dict] = {**base.DatabaseWrapper.data_types, "BigIntegerField": "integer"}
