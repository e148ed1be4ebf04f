"""Addresses of the coalition pages. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import coalition, coalition_member

patterns = [
    path("coalition", coalition.home, name="finance-coalition"),
    path("coalition/periods/<int:number>", coalition.period, name="finance-coalition-period"),
    path("coalition/periods/<int:number>/<slug:file>", coalition.paper, name="finance-coalition-paper"),
    path("members/<int:pk>/coalition", coalition_member.of_member, name="member-coalition"),
]
