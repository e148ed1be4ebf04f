"""The owner's first page: who the members are, how they are graded, what they hold, how they buy."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from shuke.doors.console.access import StaffRequest, console


@console()
def dashboard(request: StaffRequest) -> HttpResponse:
    return render(request, "console/dashboard.html", {})
