"""Experiments over seeds that end in a table with intervals and a verdict."""

from .advice import advise
from .contenders import FROM_SCRATCH, HEADLINE, contenders, unpretrained
from .journal import Journal, read_journal
from .label_efficiency import label_efficiency
from .map import study_map
from .map_findings import findings
from .statistics import gains, label_multiplier, paired, summarise, verdict
from .transfer import transfer

__all__ = [
    "FROM_SCRATCH",
    "HEADLINE",
    "Journal",
    "advise",
    "contenders",
    "findings",
    "gains",
    "label_efficiency",
    "label_multiplier",
    "paired",
    "read_journal",
    "study_map",
    "summarise",
    "transfer",
    "unpretrained",
    "verdict",
]
