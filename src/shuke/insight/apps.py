from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "shuke.insight"
    label = "insight"
