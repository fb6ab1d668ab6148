"""The schema's history: numbered files, applied in order, never edited after a release."""
