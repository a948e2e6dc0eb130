"""The history of calls: what is kept of each, and who asks for it."""
