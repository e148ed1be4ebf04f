from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0024_refusals_as_they_were")]

    operations = [
        migrations.AddField(
            "storedseal",
            "first_id",
            models.BigIntegerField(null=True, help_text="First and last posting it covers; those between may be others'."),
        ),
        migrations.AddField("storedseal", "last_id", models.BigIntegerField(null=True)),
    ]
