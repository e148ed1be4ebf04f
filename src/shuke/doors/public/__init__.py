"""Pages for everybody, without a sign-in: what a shop has promised and must be seen to keep."""
