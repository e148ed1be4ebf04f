"""Addresses of the staff console. Names a page links to: dashboard, members, member (pk), member-hits, imports, charter."""

from django.urls import path

from shuke.doors.console.views import charter, dashboard, sign_in

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("language", sign_in.language, name="language"),
    path("charter", charter.charter, name="charter"),
]
