"""Wizards: one question after the other."""
