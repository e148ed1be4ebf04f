"""Addresses of public pages."""

from django.urls import path

from shuke.doors.public import views

app_name = "public"

urlpatterns = [
    path("draws/<slug:name>", views.draw, name="draw"),
    path("draws/<slug:name>.json", views.draw_file, name="draw-file"),
]
