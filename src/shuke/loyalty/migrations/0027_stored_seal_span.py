from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0026_checkouts_that_are_booked")]

    operations = [
        migrations.AddField(
            "storedseal",
            "first_id",
            models.BigIntegerField(null=True, help_text="First and last posting it covers; those between may be others'."),
        ),
        migrations.AddField("storedseal", "last_id", models.BigIntegerField(null=True)),
    ]
