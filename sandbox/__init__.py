"""Where hostile files are looked at: a process of its own that can reach nothing.

Nothing here imports other packages of ours, and no other package parses a file that a person
sent. Only :mod:`sandbox.jail` is used from outside.
"""
