"""What a command ends with."""

WORKED, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: it worked; it was tried and did not work; it could not be tried; Ctrl-C."""
