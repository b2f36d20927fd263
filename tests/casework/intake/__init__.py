"""Tests of casework/intake."""
