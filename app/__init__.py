"""Ringback sets up SIP trunks, places real test calls and says in plain words whether they work."""

__version__ = "0.1.0"
