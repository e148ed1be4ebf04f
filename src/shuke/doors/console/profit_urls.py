"""Addresses of profit, retention budget, loyalty types and stated costs. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import loyalty_types, profit

patterns = [
    path("insight/profit", profit.profit, name="insight-profit"),
    path("insight/budget", profit.budget, name="insight-budget"),
    path("insight/loyalty", loyalty_types.loyalty, name="insight-loyalty"),
    path("insight/costs", profit.costs, name="insight-costs"),
    path("insight/costs/rejected", profit.rejects, name="insight-costs-rejected"),
    path("members/<int:pk>/costs", profit.member_costs, name="member-costs"),
]
