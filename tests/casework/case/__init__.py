"""Tests of casework/case."""
