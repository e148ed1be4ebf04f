"""Addresses of stored value and gift cards. Part of the console's (urls.py); without a word in the charter all are 404."""

from django.urls import path

from shuke.doors.console.views import gift_cards, stored

patterns = [
    path("stored", stored.overview, name="stored"),
    path("stored/corrections/<int:correction_id>", stored.decide, name="stored-correction"),
    path("members/<int:pk>/stored", stored.member, name="member-stored"),
    path("gift-cards", gift_cards.cards, name="stored-cards"),
    path("gift-cards/find", gift_cards.find, name="stored-card-find"),
    path("gift-cards/<int:pk>", gift_cards.card, name="stored-card"),
    path("gift-cards/batches/<int:batch_id>/sell", gift_cards.sell, name="stored-batch-sell"),
    path("gift-cards/batches/<int:batch_id>.csv", gift_cards.export, name="stored-batch-codes"),
    path("gift-cards/batches/<int:batch_id>/print", gift_cards.sheet, name="stored-batch-sheet"),
]
