"""Tests of the law as data, mirroring ``casework/law/``."""
