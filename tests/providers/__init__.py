"""Every provider of the catalogue, end to end."""
