"""The law as data: regulation profiles, the engine that follows them, and working days."""
