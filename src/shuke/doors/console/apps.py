from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "shuke.doors.console"
    label = "console"
