"""Tests of casework/store."""
