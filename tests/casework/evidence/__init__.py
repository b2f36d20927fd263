"""Tests of casework/evidence."""
