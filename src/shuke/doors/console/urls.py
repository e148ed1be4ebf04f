"""Addresses of the staff console."""

urlpatterns: list = []
