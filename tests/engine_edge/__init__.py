"""The engine's TLS edge: rules on messages, framing, handshakes, and a real pjsua2 behind it."""
