"""The transparency log: what was done, by whom, on which day; never what was said."""
