"""Look at a running plugin from outside, with nothing but the standard library."""
