"""The TLS edge: a proxy in this process, TCP to pjsua2 and TLS to the provider; imported only when used."""
