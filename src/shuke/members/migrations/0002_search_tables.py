"""On SQLite the two search tables become clustered on their key: half the size, and a prefix is one range of pages."""

from django.db import migrations


def cluster(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "sqlite":
        return
    for table in ("members_search_term", "members_phone_gram"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table])
            (made_by,) = cursor.fetchone()
            cursor.execute(f'DROP TABLE "{table}"')
            cursor.execute(made_by + " WITHOUT ROWID")


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [migrations.RunPython(cluster, migrations.RunPython.noop)]
