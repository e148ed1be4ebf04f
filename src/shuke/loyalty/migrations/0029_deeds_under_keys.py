from django.db import migrations, models


class Migration(migrations.Migration):
    """What was kept of publications under keys is kept of every deed of the office."""

    dependencies = [("loyalty", "0028_things_that_wait")]

    operations = [
        migrations.RemoveConstraint(model_name="charterrequest", name="loyalty_charter_request_key"),
        migrations.RenameModel("CharterRequest", "DeedRequest"),
        migrations.AlterModelTable("DeedRequest", "loyalty_deed_request"),
        migrations.AddConstraint(
            model_name="deedrequest",
            constraint=models.UniqueConstraint(fields=("merchant", "key"), name="loyalty_deed_request_key"),
        ),
    ]
