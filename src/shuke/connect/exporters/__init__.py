"""Files we give out: tables for spreadsheets, safe to open. No database, no Django."""
