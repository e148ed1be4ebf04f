from django.apps import AppConfig


class ShopsConfig(AppConfig):
    name = "shuke.shops"
    label = "shops"
