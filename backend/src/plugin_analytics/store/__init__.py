"""Where events, facts and counts are kept: a port, and the database behind it."""
