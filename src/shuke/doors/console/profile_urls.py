"""Addresses of profiles, of word of mouth, and of what sellers say of their goods. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import profiles

patterns = [
    path("insight/profiles", profiles.profiles, name="insight-profiles"),
    path("insight/profiles/export", profiles.export, name="insight-profile-export"),
    path("insight/profiles/members", profiles.members, name="insight-profile-members"),
]
