"""The command line: what the window can do, for scripts and for machines without a screen."""
