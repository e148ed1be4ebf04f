"""The stories that cross rooms, one function each; timetable.py says when."""
