"""Addresses of the member archive: suspicions, merging, cards, forms. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console import referral_urls
from shuke.doors.console.views import cards, complaints, grading, joining, merging, moving

patterns = [
    path("members/suspicions", merging.suspicions, name="suspicions"),
    path("members/suspicions/decide", merging.decide, name="suspicion"),
    path("members/<int:pk>/merge", merging.merge, name="member-merge"),
    path("members/<int:pk>/merges/<int:merge_id>/undo", merging.unmerge, name="member-unmerge"),
    path("members/new", joining.add, name="person-new"),
    path("members/new/phone", joining.phone, name="person-phone"),
    path("members/attributes", joining.attributes, name="attributes"),
    path("members/<int:pk>/edit", joining.edit, name="person-edit"),
    path("members/<int:pk>/contact/<int:contact_id>/remove", joining.remove_contact, name="person-contact-remove"),
    path("members/cards", cards.sheet, name="cards-print"),
    path("members/<int:pk>/card", cards.card, name="member-card"),
    path("members/<int:pk>/points/change", moving.change, name="member-points-change"),
    path("members/<int:pk>/tier", grading.tier, name="member-tier"),
    path("members/<int:pk>/complaints", complaints.record, name="member-complaint"),
    path("complaints", complaints.complaints, name="complaints"),
    path("complaints/<int:complaint_id>", complaints.decide, name="complaint"),
    path("points/budgets", moving.budgets, name="charter-budgets"),
    path("points/corrections", moving.corrections, name="corrections"),
    path("points/corrections/<int:correction_id>", moving.decide, name="correction"),
    path("members/<int:pk>/card/change", cards.change, name="member-card-change"),
    *referral_urls.patterns,
]
