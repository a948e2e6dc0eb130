"""What a wizard asks and in which order; no Qt, no I/O."""
