"""Say what the reports must be, from the raw events, by an independent and slow path.

Nothing here is imported from the plugin or its SDK: it is a second reading of the same decisions
(docs/events.md, docs/seed.md), written as plainly as they can be written. It reads every event
again for every question, keeps no counts, and never looks at the order of arrival except where
that matters (the first content of an id stands).
"""

from tests.oracle.calendar import Span
from tests.oracle.facts import METRICS
from tests.oracle.reports import Oracle

__all__ = ["METRICS", "Oracle", "Span"]
