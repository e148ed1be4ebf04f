"""The URL table: each door brings its own."""

from django.urls import include, path

urlpatterns = [path("", include("shuke.doors.console.urls"))]
