"""The room of the auditor: the whole log against everything that is stored, read-only."""
