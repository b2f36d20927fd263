"""Migrations of the main database, numbered and never edited once released."""
