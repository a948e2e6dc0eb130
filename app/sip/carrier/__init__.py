"""The demo carrier: a far end on loopback with a registrar, test numbers and real audio."""
