"""What the pages show, kept apart from how they show it."""
