"""Segments, care rules, journeys, campaigns, control groups, the message outbox. Empty until its issue begins."""
