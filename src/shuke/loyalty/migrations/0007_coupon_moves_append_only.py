"""Moves of coupons and returns of baskets are append-only: the database itself refuses to change them."""

from django.db import migrations

TABLES = ("loyalty_coupon_move", "loyalty_checkout_return")


def forwards(apps, schema_editor):
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            statements = [
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION loyalty_append_only()"
            ]
        else:
            statements = [
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                for what in ("UPDATE", "DELETE")
            ]
        for statement in statements:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_coupons_and_checkouts")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
