from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "shuke.kit"
    label = "kit"
