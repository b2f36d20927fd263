"""Cryptography of the portal: bytes in, bytes out; no database, no clock, no web."""
