"""Storage: the database engine, the unit of work, the keystore."""
