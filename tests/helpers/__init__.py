"""What several test modules share; each part with logic has tests in tests/unit/helpers."""
