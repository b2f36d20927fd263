"""The pages: Jinja2 templates with Indonesian as the source language, shipped as package data."""
