"""Files of a case: received sealed, examined in confinement, accounted for."""
