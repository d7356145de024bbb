"""README.md and docs/ as a site (`make site`)."""
