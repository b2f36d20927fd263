"""Tests of the officers' pages, through the real application."""
