"""Tensors with their description on disk: safetensors for numbers, JSON for everything else, no pickle.

A folder holds ``KIND.json`` and the tensor file it names. The tensor file is written first, under a name made of its
own hash; renaming the JSON over the old one is the moment the new state counts. A crash at any time leaves the old
pair or the new pair, whole.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ..data.files import to_json, write_bytes, write_text
from ..errors import InputError, MissingFileError, check_format

FORMAT = 1


def write_tensors(folder: str | Path, kind: str, described: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write ``KIND.json`` and its tensors to ``folder``, whole; InputError where ``folder`` is a file."""
    from .. import __version__

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give a folder to write to")
    data = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    name = f"{kind}-{digest[:12]}.safetensors"
    write_bytes(folder / name, data)
    head = {"format": FORMAT, "version": __version__, "tensors": name, "sha256": digest}
    write_text(folder / f"{kind}.json", to_json({**head, **described}))
    for old in folder.glob(f"{kind}-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def read_tensors(folder: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what :func:`write_tensors` wrote.

    Raises:
        MissingFileError: one of the two files is not there.
        InputError: damaged, or of a newer format.
    """
    folder, path = Path(folder), Path(folder) / f"{kind}.json"
    if not path.is_file():
        raise MissingFileError(f"no {kind} in {str(folder)!r} (no {path.name}): give a folder that pretrain wrote")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        name, digest, version = described["tensors"], described["sha256"], described["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: train the model again, or copy it anew") from error
    check_format(path, version, FORMAT)
    tensor_file = folder / Path(name).name
    if not tensor_file.is_file():
        raise MissingFileError(f"{path} names {name!r}, which is missing: copy the whole folder")
    data = tensor_file.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError(
            f"{tensor_file} is damaged or truncated ({len(data):,} bytes, its sha256 is not the one in "
            f"{path.name}): copy it anew or train again"
        )
    return described, safetensors.torch.load(data)


def remove_tensors(folder: Path, kind: str) -> None:
    """Remove the pair, the description first."""
    (folder / f"{kind}.json").unlink(missing_ok=True)
    for old in folder.glob(f"{kind}-*.safetensors"):
        old.unlink(missing_ok=True)
