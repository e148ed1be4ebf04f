"""Addresses of the staff console. Names a page links to: dashboard, members, member (pk), member-hits, charter."""

from django.urls import path

from shuke.doors.console import (
    card_urls,
    charter_urls,
    coalition_urls,
    coupon_urls,
    finance_urls,
    people_urls,
    reward_urls,
    stored_urls,
)
from shuke.doors.console.views import charter, dashboard, goods, imports, insight, member, members, search, sign_in

app_name = "console"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("language", sign_in.language, name="language"),
    path("insight/rfm", insight.rfm, name="insight-rfm"),
    path("insight/rfm/preview", insight.rfm_preview, name="insight-rfm-preview"),
    path("insight/movement", insight.movement, name="insight-movement"),
    path("insight/points", insight.points, name="insight-points"),
    path("insight/goods", goods.goods, name="insight-goods"),
    path("insight/goods/members", goods.behind, name="insight-goods-members"),
    path("insight/goods/member/<int:pk>", goods.member, name="insight-goods-member"),
    path("members", members.members, name="members"),
    path("members/columns", members.columns, name="members-columns"),
    path("members/tag", members.tag, name="members-tag"),
    path("members/export", members.export, name="members-export"),
    path("members/export/<int:job_id>", members.export_job, name="member-export"),
    path("members/hits", search.hits, name="member-hits"),
    *people_urls.patterns,
    path("members/<int:pk>", member.member, name="member"),
    path("members/<int:pk>/timeline", member.timeline, name="member-timeline"),
    path("members/<int:pk>/points", member.points, name="member-points"),
    path("members/<int:pk>/note", member.note, name="member-note"),
    path("members/<int:pk>/contacts/<int:contact_id>", member.reveal, name="member-reveal"),
    path("imports", imports.uploads_page, name="imports"),
    path("imports/samples/<slug:key>", imports.sample, name="import-sample"),
    path("imports/<int:batch_id>", imports.one, name="import"),
    path("imports/<int:batch_id>/columns/<int:place>", imports.mapping, name="import-mapping"),
    path("imports/<int:batch_id>/preview", imports.preview, name="import-preview"),
    path("imports/<int:batch_id>/run", imports.run, name="import-run"),
    path("imports/<int:batch_id>/state", imports.state, name="import-state"),
    path("imports/<int:batch_id>/undo", imports.take_back, name="import-undo"),
    path("imports/<int:batch_id>/rejected", imports.rejects, name="import-rejects"),
    path("members/<int:pk>/orders", member.orders, name="member-orders"),
    path("charter", charter.charter, name="charter"),
    *charter_urls.patterns,
    *finance_urls.patterns,
    *coalition_urls.patterns,
    *card_urls.patterns,
    *coupon_urls.patterns,
    *reward_urls.patterns,
    *stored_urls.patterns,
]
