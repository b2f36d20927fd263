"""The case: its row, its compartments, who holds which key, and what lies sealed in it."""
