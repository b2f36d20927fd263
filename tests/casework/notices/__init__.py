"""Tests of casework/log."""
