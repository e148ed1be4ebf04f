from django.db import migrations


class Migration(migrations.Migration):
    """Lists by chance are chosen in memory (docs/decisions/0018-lists-from-memory.md): nothing reads these any more."""

    dependencies = [("insight", "0010_members_at_hand")]

    operations = [
        migrations.RemoveIndex("membervalue", "insight_value_by_30"),
        migrations.RemoveIndex("membervalue", "insight_value_by_90"),
    ]
