"""Backups: two sealed archives of one moment, and the way back from them.

One archive holds the database and what lies beside it, the other the keystore and the pepper. The
first may be kept for years and opens nothing without the second, which is kept apart and expires.
"""
