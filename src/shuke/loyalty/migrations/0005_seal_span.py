from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_charter_drafts")]

    operations = [
        migrations.AddField(
            "seal",
            "first_id",
            models.BigIntegerField(null=True, help_text="First and last posting it covers; those between may be others'."),
        ),
        migrations.AddField("seal", "last_id", models.BigIntegerField(null=True)),
    ]
