"""Pictures and pages of results; drawing libraries are imported where used."""
