"""What is true of events, days and reports: pure data and pure functions."""
