from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0027_stored_seal_span")]

    operations = [
        migrations.AddField(
            "benefituse",
            "waits",
            models.BooleanField(
                default=False, db_default=False, help_text="Its points were given; the thing that goes with them waits."
            ),
        ),
        migrations.AddField(
            "benefituse",
            "handed_at",
            models.DateTimeField(null=True, help_text="When the thing that waited was handed over."),
        ),
        migrations.AddField("benefituse", "handed_by", models.CharField(blank=True, db_default="", max_length=60)),
        migrations.AddIndex(
            "benefituse",
            models.Index(
                condition=models.Q(("waits", True)),
                fields=["merchant", "member", "at"],
                name="loyalty_benefit_use_waits",
            ),
        ),
    ]
