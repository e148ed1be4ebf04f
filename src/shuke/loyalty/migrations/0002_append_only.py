"""Postings, legs and uses are append-only: the database itself refuses to change them (I13), and on PostgreSQL also to take
legs that do not add up (I1). `bulk` writes all legs of a posting in one statement, so a statement trigger can check."""

from django.db import migrations

SQLITE = (
    [
        f"""CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
        for table in ("loyalty_txn", "loyalty_entry", "loyalty_use", "loyalty_seal")
    ]
    + [
        f"""CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
        for table in ("loyalty_entry", "loyalty_use", "loyalty_seal")
    ]
    + [
        # A posting changes once: when it is sealed.
        """CREATE TRIGGER loyalty_txn_seal_only BEFORE UPDATE ON loyalty_txn
       WHEN OLD.seal IS NOT NULL OR NEW.seal IS NULL OR OLD.id <> NEW.id OR OLD.key <> NEW.key OR OLD.kind <> NEW.kind
         OR OLD.at <> NEW.at OR OLD.event <> NEW.event OR OLD.why <> NEW.why OR OLD.merchant_id <> NEW.merchant_id
         OR OLD.member_id IS NOT NEW.member_id OR OLD.payload <> NEW.payload
       BEGIN SELECT RAISE(ABORT, 'loyalty_txn is append-only'); END""",
    ]
)

POSTGRESQL = [
    """CREATE FUNCTION loyalty_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE FUNCTION loyalty_txn_seal_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF OLD.seal IS NOT NULL OR NEW.seal IS NULL
            OR (to_jsonb(OLD) - 'seal') <> (to_jsonb(NEW) - 'seal') THEN
           RAISE EXCEPTION 'loyalty_txn is append-only' USING ERRCODE = 'integrity_constraint_violation';
         END IF;
         RETURN NEW;
       END $$""",
    """CREATE FUNCTION loyalty_legs_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
       DECLARE bad bigint;
       BEGIN
         SELECT txn_id INTO bad FROM fresh GROUP BY txn_id HAVING SUM(amount) <> 0 LIMIT 1;
         IF bad IS NOT NULL THEN
           RAISE EXCEPTION 'legs of posting % do not add up to 0', bad USING ERRCODE = 'integrity_constraint_violation';
         END IF;
         RETURN NULL;
       END $$""",
    """CREATE TRIGGER loyalty_entry_add_up AFTER INSERT ON loyalty_entry REFERENCING NEW TABLE AS fresh
       FOR EACH STATEMENT EXECUTE FUNCTION loyalty_legs_add_up()""",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION loyalty_append_only()"
        for table in ("loyalty_entry", "loyalty_use", "loyalty_seal")
    ),
    "CREATE TRIGGER loyalty_txn_no_delete BEFORE DELETE ON loyalty_txn FOR EACH ROW EXECUTE FUNCTION loyalty_append_only()",
    "CREATE TRIGGER loyalty_txn_seal_only BEFORE UPDATE ON loyalty_txn FOR EACH ROW EXECUTE FUNCTION loyalty_txn_seal_only()",
]


def forwards(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)  # None: % in a text is a %


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
