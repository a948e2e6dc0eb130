"""Fuzzers of pure code: `make fuzz`, and `python -m tests.hostile.fuzz.mutated` for a count of messages."""
