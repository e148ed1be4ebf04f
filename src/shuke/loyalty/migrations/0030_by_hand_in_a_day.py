from django.db import migrations, models


def _fields(model: str) -> list[migrations.AddField]:
    return [
        migrations.AddField(
            model,
            "person",
            models.CharField(blank=True, default="", max_length=60, help_text="Who answered for `asked_by` then."),
        ),
        migrations.AddField(model, "limit", models.BigIntegerField(null=True)),
        migrations.AddField(model, "by_person", models.BigIntegerField(default=0)),
        migrations.AddField(model, "of_member", models.BigIntegerField(default=0)),
    ]


class Migration(migrations.Migration):
    """Every change by hand has a row, also one that needed no second person: what one person did alone in a day counts
    together. Lapsed points that come back and growth value are such changes too."""

    dependencies = [("loyalty", "0029_deeds_under_keys")]

    operations = [
        *_fields("correction"),
        *_fields("storedcorrection"),
        migrations.AddField("correction", "kind", models.CharField(default="adjust", max_length=10)),
        migrations.AlterField(
            "storedcorrection",
            "key",
            models.CharField(help_text="The caller's key; the posting has it too.", max_length=200),
        ),
        # Which cards were shown at the tills in a time: for whoever looks after the people of the shop.
        migrations.AddIndex(
            "checkout",
            models.Index(
                fields=["merchant", "placed_at"],
                name="loyalty_checkout_shown",
                condition=models.Q(member__isnull=False),
            ),
        ),
    ]
