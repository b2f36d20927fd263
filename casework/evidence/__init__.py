"""Evidence: the files that a report brings, and what becomes of them."""
