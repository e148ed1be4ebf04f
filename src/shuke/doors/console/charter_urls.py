"""Addresses of the charter's pages beyond the handbook itself. Names begin with charter-, so the menu knows them; the
handbook itself is for everybody."""

from django.urls import path

from shuke.doors.console.views import drafts, handbook, publishing, simulation

patterns = [
    path("handbook/<slug:shop>", handbook.page, name="handbook"),
    path("handbook/<slug:shop>/pdf", handbook.pdf, name="handbook-pdf"),
    path("charter/drafts", drafts.drafts_page, name="charter-drafts"),
    path("charter/drafts/<int:draft_id>", drafts.draft_page, name="charter-draft"),
    path("charter/drafts/<int:draft_id>/check", drafts.check, name="charter-check"),
    path("charter/drafts/<int:draft_id>/yaml", drafts.draft_yaml, name="charter-draft-yaml"),
    path("charter/drafts/<int:draft_id>/discard", drafts.discard, name="charter-discard"),
    path("charter/drafts/<int:draft_id>/publish", publishing.publish, name="charter-publish"),
    path("charter/drafts/<int:draft_id>/simulate", simulation.simulate, name="charter-simulate"),
    path("charter/simulations/<int:job_id>", simulation.simulation, name="charter-simulation"),
    path("charter/simulations/<int:job_id>/members/<int:pk>", simulation.member, name="charter-simulated-member"),
    path("charter/versions/<int:version>/yaml", drafts.version_yaml, name="charter-version-yaml"),
    path("charter/versions/<int:version>/withdraw", publishing.withdraw, name="charter-withdraw"),
]
