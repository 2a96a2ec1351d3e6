"""What the plugin does, step by step; no framework and no driver is known here."""
