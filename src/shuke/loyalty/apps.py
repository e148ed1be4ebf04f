from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "shuke.loyalty"
    label = "loyalty"
