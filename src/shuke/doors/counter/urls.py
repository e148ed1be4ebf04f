"""Addresses of the counter screen."""

from django.urls import path

from shuke.doors.counter import deeds, joining, listening, purchases, returns, till, views

app_name = "counter"

urlpatterns = [
    path("counter", views.home, name="home"),
    path("counter/stand", views.stand, name="stand"),
    path("counter/hits", views.hits, name="hits"),
    path("counter/new", joining.new, name="new"),
    path("counter/m/<int:pk>", views.member, name="member"),
    path("counter/m/<int:pk>/benefit", deeds.benefit, name="benefit"),
    path("counter/m/<int:pk>/undo", deeds.undo, name="undo"),
    path("counter/m/<int:pk>/points", deeds.points, name="points"),
    path("counter/m/<int:pk>/points/back", deeds.points_back, name="points-back"),
    path("counter/m/<int:pk>/activity", deeds.activity, name="activity"),
    path("counter/m/<int:pk>/activity/back", deeds.activity_back, name="activity-back"),
    path("counter/m/<int:pk>/top-up", deeds.top_up, name="top-up"),
    path("counter/m/<int:pk>/gift", deeds.gift, name="gift"),
    path("counter/m/<int:pk>/order", deeds.order, name="order"),
    path("counter/m/<int:pk>/draw", deeds.draw, name="draw"),
    path("counter/m/<int:pk>/prize", deeds.prize, name="prize"),
    path("counter/m/<int:pk>/purchase", purchases.purchase, name="purchase"),
    path("counter/m/<int:pk>/purchase/back", purchases.back, name="purchase-back"),
    path("counter/m/<int:pk>/complaint", listening.complaint, name="complaint"),
    path("counter/m/<int:pk>/complaint/settle", listening.settle, name="complaint-settle"),
    path("counter/m/<int:pk>/till", till.till, name="till"),
    path("counter/m/<int:pk>/till/price", till.price, name="till-price"),
    path("counter/m/<int:pk>/till/take", till.take, name="till-take"),
    path("counter/m/<int:pk>/till/back", till.back, name="till-back"),
    path("counter/m/<int:pk>/returns", returns.returns, name="returns"),
    path("counter/m/<int:pk>/returns/take", returns.take_back, name="returns-take"),
]
