"""The SIP edge of an engine: it owns the real sockets, and PJSIP speaks to it on loopback."""
