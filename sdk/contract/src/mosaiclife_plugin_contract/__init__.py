"""Tell whether a plugin keeps the contract of Mosaic Life, whatever language it is written in.

The kit shares no code with the SDKs: a judge who asks the accused proves nothing.
"""

from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.limits import Limits
from mosaiclife_plugin_contract.registry import Check, Level, Need, all_checks, check
from mosaiclife_plugin_contract.report import Report, as_document, as_text
from mosaiclife_plugin_contract.runner import Kit, Outcome, Result, TargetUnreachable
from mosaiclife_plugin_contract.violation import NotApplicable, Violation, expect

VERSION = "1.0.0"

__all__ = [
    "VERSION",
    "Check",
    "Context",
    "Kit",
    "Level",
    "Limits",
    "Need",
    "NotApplicable",
    "Outcome",
    "Report",
    "Result",
    "TargetUnreachable",
    "Violation",
    "all_checks",
    "as_document",
    "as_text",
    "check",
    "expect",
]
