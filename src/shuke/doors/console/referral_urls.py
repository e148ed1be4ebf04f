"""Addresses of referral: the pages of the staff, and the public page of a member's link. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import invite, referrals

patterns = [
    path("r/<slug:shop>/<slug:code>", invite.invite, name="invite"),
    path("referrals", referrals.overview, name="reward-referrals"),
    path("referrals/<int:referral_id>", referrals.case, name="reward-referral"),
    path("referrals/<int:referral_id>/decide", referrals.decide, name="reward-referral-decide"),
    path("referrals/tree/<int:pk>", referrals.tree, name="reward-referral-tree"),
    path("members/<int:pk>/referral", referrals.of_member, name="member-referral"),
]
