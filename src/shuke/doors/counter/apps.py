from django.apps import AppConfig


class CounterConfig(AppConfig):
    name = "shuke.doors.counter"
    label = "counter"
