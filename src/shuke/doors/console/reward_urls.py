"""Addresses of benefits used, gifts and lucky draws. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import draws, gifts, rewards

patterns = [
    path("rewards/benefits", rewards.log, name="reward-log"),
    path("rewards/benefits/<int:pk>/undo", rewards.undo, name="reward-undo"),
    path("rewards/gifts", gifts.gifts, name="reward-gifts"),
    path("rewards/gifts/new", gifts.new, name="reward-gift-new"),
    path("rewards/gifts/<int:pk>", gifts.gift, name="reward-gift"),
    path("rewards/gifts/<int:pk>/stock", gifts.stock, name="reward-gift-stock"),
    path("rewards/gifts/<int:pk>/picture", gifts.picture, name="reward-gift-picture"),
    path("rewards/orders", gifts.orders, name="reward-orders"),
    path("rewards/orders/<int:pk>", gifts.order, name="reward-order"),
    path("rewards/draws", draws.draws, name="reward-draws"),
    path("rewards/draws/new", draws.new, name="reward-draw-new"),
    path("rewards/draws/<int:pk>", draws.draw, name="reward-draw"),
    path("rewards/draws/<int:pk>/edit", draws.edit, name="reward-draw-edit"),
    path("rewards/draws/<int:pk>/step", draws.step, name="reward-draw-step"),
]
