"""Days and clocks: the versioned holiday table and the deadlines of cases."""
