"""Listening: complaints. Return visits, surveys, churn cases, the blueprint and events join them with their issue.

A complaint 投诉 is what a member was not content with, as somebody wrote it down. It is open until somebody settles it with a note;
settled ones can be reopened and settled again. Invariant: open and settled alternate, each with a line on the member's timeline
of one and the same name (`complaint:<id>`), so whatever a settled complaint gives is given once.
"""
