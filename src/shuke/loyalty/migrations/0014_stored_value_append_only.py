"""Postings of stored value are append-only, as those of points: the database itself refuses to change them. On PostgreSQL
it also refuses legs that do not add up; all legs of a posting are written by one statement."""

from django.db import migrations

FIXED = ("loyalty_stored_leg", "loyalty_stored_use", "loyalty_stored_seal")
TXN = "loyalty_stored_txn"
KEPT = ("id", "merchant_id", "purse_id", "key", "payload", "kind", "at", "actor", "request", "answer")

SQLITE = [
    *(
        f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in FIXED
        for what in ("UPDATE", "DELETE")
    ),
    f"CREATE TRIGGER {TXN}_no_delete BEFORE DELETE ON {TXN} BEGIN SELECT RAISE(ABORT, '{TXN} is append-only'); END",
    # A posting changes once: when it is sealed.
    f"CREATE TRIGGER {TXN}_seal_only BEFORE UPDATE ON {TXN} WHEN OLD.seal IS NOT NULL OR NEW.seal IS NULL OR "
    + " OR ".join(f"OLD.{column} <> NEW.{column}" for column in KEPT)
    + f" OR OLD.about IS NOT NEW.about BEGIN SELECT RAISE(ABORT, '{TXN} is append-only'); END",
]
POSTGRESQL = [
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loyalty_append_only()"
        for table in FIXED
    ),
    f"CREATE TRIGGER {TXN}_no_delete BEFORE DELETE ON {TXN} FOR EACH ROW EXECUTE FUNCTION loyalty_append_only()",
    f"CREATE TRIGGER {TXN}_seal_only BEFORE UPDATE ON {TXN} FOR EACH ROW EXECUTE FUNCTION loyalty_txn_seal_only()",
    """CREATE TRIGGER loyalty_stored_leg_add_up AFTER INSERT ON loyalty_stored_leg REFERENCING NEW TABLE AS fresh
       FOR EACH STATEMENT EXECUTE FUNCTION loyalty_legs_add_up()""",
]


def forwards(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0013_stored_value")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
