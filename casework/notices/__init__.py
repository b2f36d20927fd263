"""Notices to officers: that there is something to do, never what."""
