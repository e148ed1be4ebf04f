"""Days that matter in a shop: lunar birthdays, windows and anniversaries."""
