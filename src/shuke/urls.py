"""The URL table: each door brings its own."""

from django.urls import include, path

from shuke.doors.api.refusing import no_such_path
from shuke.doors.api.urls import urls as api

urlpatterns = [
    path("api/v1/", api),
    path("api/<path:rest>", no_such_path),
    path("", include("shuke.doors.counter.urls")),
    path("", include("shuke.doors.public.urls")),
    path("", include("shuke.doors.console.urls")),
]
