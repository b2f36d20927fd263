"""Tests of casework/handling."""
