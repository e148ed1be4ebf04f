from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "shuke.orders"
    label = "orders"
