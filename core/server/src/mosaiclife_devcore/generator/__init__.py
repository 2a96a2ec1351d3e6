"""Invent what families do: seeded, streaming, with faults on demand (docs/seed.md)."""

from mosaiclife_devcore.generator.faults import RATES, Faults, parse_faults
from mosaiclife_devcore.generator.ids import KINDS, Kind
from mosaiclife_devcore.generator.profiles import PROFILES, TELLING, WATCHING, Profile
from mosaiclife_devcore.generator.scribe import Envelope
from mosaiclife_devcore.generator.stream import generate

__all__ = [
    "KINDS",
    "PROFILES",
    "RATES",
    "TELLING",
    "WATCHING",
    "Envelope",
    "Faults",
    "Kind",
    "Profile",
    "generate",
    "parse_faults",
]
