"""The charter as a page that members and staff can read."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from shuke.doors.console.access import StaffRequest, console


@console()
def charter(request: StaffRequest) -> HttpResponse:
    return render(request, "console/charter.html", {})
