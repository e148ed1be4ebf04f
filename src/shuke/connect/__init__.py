"""Everything that speaks a stranger's language: importers, exporters, sample files, message channels. No database, no Django."""
