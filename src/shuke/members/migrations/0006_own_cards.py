import django.db.models.deletion
from django.db import migrations, models

import shuke.kit.ids


class Migration(migrations.Migration):
    """Which member a person of the shop is."""

    dependencies = [("members", "0005_blind_generations"), ("shops", "0003_tokens_of_the_office")]

    operations = [
        migrations.CreateModel(
            name="OwnCard",
            fields=[
                (
                    "id",
                    models.BigIntegerField(default=shuke.kit.ids.new, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="shops.merchant"
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="shops.staff"),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="members.member"
                    ),
                ),
            ],
            options={
                "db_table": "members_own_card",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "staff"), name="members_own_card_once")
                ],
            },
        )
    ]
