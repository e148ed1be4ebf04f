"""What a member may have now and how much of it is left; what a member is close to. Pure values, no Django."""

from shuke.engine.benefits.progress import Close, Doing, Done, Streak, doings, progress
from shuke.engine.benefits.quota import Given, Right, Someone, right, rights

__all__ = ["Close", "Doing", "Done", "Given", "Right", "Someone", "Streak", "doings", "progress", "right", "rights"]
