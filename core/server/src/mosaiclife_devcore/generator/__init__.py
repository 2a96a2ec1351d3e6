"""Invent what families do: seeded, streaming, with faults on demand (docs/seed.md)."""
