"""What stands in for the plugin's surroundings."""
