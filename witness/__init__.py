"""A witness of transparency logs: it cosigns a checkpoint once it has seen that the log grew.

It runs on another machine than the log, and in other hands (c2sp.org/tlog-witness).
"""
