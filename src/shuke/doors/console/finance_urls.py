"""Addresses of the finance pages and of a member's statement. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import books, costs, finance, statement

patterns = [
    path("finance", finance.liability, name="finance"),
    path("finance/movements", finance.movements, name="finance-movements"),
    path("finance/breakage", finance.breakage, name="finance-breakage"),
    path("finance/deferral", finance.deferral, name="finance-deferral"),
    path("finance/lapsing", finance.lapsing, name="finance-lapsing"),
    path("finance/entries", finance.entries, name="finance-entries"),
    path("finance/costs", costs.costs, name="finance-costs"),
    path("finance/books", books.books, name="finance-books"),
    path("finance/close", finance.close, name="finance-close"),
    path("finance/policy", finance.policy, name="finance-policy"),
    path("members/<int:pk>/statement", statement.statement, name="member-statement"),
]
