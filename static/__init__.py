"""The one stylesheet, shipped as package data."""
