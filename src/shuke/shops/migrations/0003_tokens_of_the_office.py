from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0002_people")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="may_decide",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="What the office decides: charters, draws, code lists, who may have what.",
            ),
        ),
    ]
