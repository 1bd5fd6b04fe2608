"""Write stored results: what they rest on, then one record a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys_tutorial.data.files import write_text


def write_records(path: str | Path, about: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
    """Write the file whole: ``about``, and under ``records`` one line for each."""
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    write_text(path, f'{json.dumps(about, indent=1)[:-2]},\n "records": [\n{lines}\n]}}\n')
