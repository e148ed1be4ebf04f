"""Addresses of the coupon pages. Part of the console's (urls.py)."""

from django.urls import path

from shuke.doors.console.views import coupon_codes, coupons

patterns = [
    path("coupons", coupons.templates, name="coupons"),
    path("coupons/new", coupons.edit, name="coupon-new"),
    path("coupons/find", coupon_codes.find, name="coupon-find"),
    path("coupons/<int:pk>", coupon_codes.coupon, name="coupon"),
    path("coupons/<int:pk>/void", coupon_codes.void, name="coupon-void"),
    path("coupons/batches/<int:batch_id>.csv", coupon_codes.export, name="coupon-codes"),
    path("coupons/batches/<int:batch_id>/print", coupon_codes.sheet, name="coupon-sheet"),
    path("coupons/batches/<int:batch_id>/void", coupon_codes.void_batch, name="coupon-batch-void"),
    path("coupons/templates/<slug:key>", coupons.template, name="coupon-template"),
    path("coupons/templates/<slug:key>/edit", coupons.edit, name="coupon-edit"),
    path("coupons/templates/<slug:key>/act", coupons.act, name="coupon-act"),
    path("members/<int:pk>/coupons", coupon_codes.member_coupons, name="member-coupons"),
]
