"""Every migration, in the order of its number."""
