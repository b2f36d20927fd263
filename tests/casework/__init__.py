"""Tests of the domain, mirroring ``casework/``."""
