"""What would convince a sceptic: an independent exercise book, storms, planted faults (TRUST.md's T-tests)."""
