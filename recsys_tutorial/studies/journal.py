"""A study's results file: one JSON record a line, added as it comes, so that a study that was stopped goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingFileError, check_format

Record = dict[str, Any]
KEYS = ("labels", "seed", "model")  # of a cell: what is measured once
FORMAT = 1
VOLATILE = ("command", "versions")  # of the header: what may differ between two sittings of one study


class Journal:
    """The header of a study and the cells that are finished.

    A line is written, flushed and synced before the next cell begins. A kill can tear the last line only; such a rest
    is cut off when the file is opened again.

    Args:
        path: the file; it is begun where it is not there.
        header: what the study is: command, versions, data, fingerprint, settings. All but command and versions must be
            those of the file.

    Raises:
        InputError: the file holds another study, or something else.
    """

    def __init__(self, path: str | Path, header: Record) -> None:
        self.path = Path(path)
        self.header = json.loads(json.dumps(header))  # as it will be read: tuples become lists
        if self.path.exists() and self.path.stat().st_size:
            found, self.cells = read_journal(self.path)
            self._check(found)
            _cut_torn_end(self.path)
        else:
            self.cells = []
            self._write({"record": "study", "format": FORMAT, **self.header})

    def _check(self, found: Record) -> None:
        for key, value in self.header.items():
            if key not in VOLATILE and found.get(key) != value:
                raise InputError(
                    f"{self.path} holds another study: its {key} is {_short(found.get(key))}, this one's "
                    f"{_short(value)}; give another --out, or delete it"
                )

    def find(self, **key: Any) -> Record | None:
        """Return the finished cell with these ``labels``, ``seed`` and ``model``, if there is one."""
        return next((cell for cell in self.cells if all(cell[name] == value for name, value in key.items())), None)

    def add(self, cell: Record) -> None:
        """Write a finished cell."""
        self._write({"record": "cell", **cell})
        self.cells.append(cell)

    def _write(self, record: Record) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_journal(path: str | Path) -> tuple[Record, list[Record]]:
    """Return the header and the cells of a results file; a torn last line is left out.

    Raises:
        MissingFileError: no such file.
        InputError: it is no results file, of a newer format, or a line before the last is damaged.
    """
    if not Path(path).exists():
        raise MissingFileError(f"no file {str(path)!r}: give the results file of a study")
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give the results file of a study") from error
    records = []
    for number, line in enumerate(lines[:-1], 1):  # what stands after the last newline is empty, or torn
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise InputError(f"{path}, line {number}, is damaged: delete it, its cell is then made anew") from error
    if not records or not isinstance(records[0], dict) or records[0].get("record") != "study":
        raise InputError(f"{path} is no results file of a study: its first line does not say what was studied")
    check_format(path, records[0].pop("format", 1), FORMAT)  # the first ones did not say
    header, *cells = ({key: value for key, value in record.items() if key != "record"} for record in records)
    return header, cells


def _cut_torn_end(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else text[:200] + "..."
