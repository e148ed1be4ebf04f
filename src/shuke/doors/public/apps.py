from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "shuke.doors.public"
    label = "public"
