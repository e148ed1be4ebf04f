from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "shuke.service"
    label = "service"
