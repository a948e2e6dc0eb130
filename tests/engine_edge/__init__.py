"""The SIP edge with real sockets: handshakes, connections, datagrams, and the real PJSIP behind it."""
