"""The demo carrier, driven by real peers on loopback."""
