"""Rules that hold over the whole tree."""
