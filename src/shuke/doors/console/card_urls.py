"""Addresses of the pages of co-branded cards. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import partner_cards as views

patterns = [
    path("partner-cards", views.home, name="finance-partner-cards"),
    path("partner-cards/waiting", views.waiting, name="finance-card-waiting"),
    path("partner-cards/programmes/<slug:key>", views.programme, name="finance-card-programme"),
    path(
        "partner-cards/programmes/<slug:key>/statements/<int:number>.<slug:kind>",
        views.paper,
        name="finance-card-paper",
    ),
    path("partner-cards/files/<int:pk>", views.file, name="finance-card-file"),
    path("partner-cards/files/<int:pk>/rejected", views.rejects, name="finance-card-rejects"),
    path("members/<int:pk>/partner-cards", views.of_member, name="member-partner-cards"),
]
