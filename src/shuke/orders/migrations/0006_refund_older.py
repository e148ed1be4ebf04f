"""Refund documents keep what earlier statements told of them. What is known of them now is taken for told at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_refund_lines")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="older",
            field=models.JSONField(
                help_text="Fields told by an earlier statement, with its mark; goods that do not fit this one's amount.",
                null=True,
            ),
        ),
    ]
