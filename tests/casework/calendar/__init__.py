"""Tests of casework/calendar."""
