"""Tests of the reporters' pages, through the real application."""
