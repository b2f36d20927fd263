"""How officers work a case: their desk, the story of a case, and the acts of the profile."""
