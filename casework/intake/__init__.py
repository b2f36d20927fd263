"""How a report comes in, and how its reporter comes back to it."""
