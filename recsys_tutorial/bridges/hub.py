"""Sharing a model as Hugging Face's hub lays models out (extra ``hub``): a folder, or a name online."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import pandas as pd
import safetensors.torch
from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin, snapshot_download
from huggingface_hub.errors import HFValidationError

from .. import __version__
from ..data.files import to_json, write_bytes, write_text
from ..data.published.datasets import DATASETS
from ..engine.tensors import FORMAT
from ..errors import InputError, MissingFileError, check_format
from ..learning.checkpoints import describe, rebuild
from ..model import PretrainedModel

CONFIG, WEIGHTS = "config.json", "model.safetensors"
CARD = """---
{{ card_data }}
---

# {{ name }}: a recommender pretrained on behaviour

`f = h ∘ g`: g, a {{ encoder }}, turns what someone did into {{ dim }} numbers; h scores {{ outputs }}.

```python
from recsys_tutorial.bridges.hub import HubModel
import recsys_tutorial as rt

model = HubModel.from_pretrained("{{ name }}")  # the name on the hub, or a folder
rt.Recommender(model).recommend([{{ example }}], k=10)
```

## Data

{{ data }}

## Training

{{ training }}

## Measured quality

{{ quality }}

## Limits

- It knows the {{ items }} it was trained on. An item that is not among them cannot be named, and is never recommended.
- It repeats the taste of the people in its data, the popular items first, and it has not been tested on other people.
- Vectors of people are personal data where the behaviour is: they tell what somebody did.
{{ limits }}
"""


class HubModel(  # type: ignore[call-arg]  # the mixin, which is an extra, takes these
    PretrainedModel,
    PyTorchModelHubMixin,
    library_name="recsys-tutorial",
    tags=["recommender-system", "pretraining"],
    pipeline_tag="other",
):
    """A :class:`PretrainedModel` with the hub's ``save_pretrained``, ``from_pretrained`` and ``push_to_hub``.

    A folder holds ``config.json`` (encoder, head, items, where the model came from), ``model.safetensors`` and
    ``README.md``, the model card, which says what the model was trained on and how well it did.
    """

    quality: pd.DataFrame | None = None
    limits: str = ""

    @classmethod
    def of(cls, model: PretrainedModel, quality: pd.DataFrame | None = None, limits: str = "") -> Self:
        """Return ``model`` as one that can be shared; its parts are shared, not copied.

        Args:
            model: with a catalogue.
            quality: rows of :func:`recsys_tutorial.evaluate` for the card; without them it says that none was measured.
            limits: what else a user should know, Markdown.
        """
        found = cls.compose(
            model.feature_extractor, model.classifier, catalogue=model.catalogue, outputs=model.outputs,
            history=model.history,
        )  # fmt: skip
        found.origin, found.quality, found.limits = model.origin, quality, limits
        return found.eval()

    def save_pretrained(self, save_directory: str | Path, **how: Any) -> str | None:
        """Write the three files to ``save_directory``; ``push_to_hub=True, repo_id="name/model"`` uploads them too."""
        (Path(save_directory) / "README.md").unlink(missing_ok=True)  # the mixin keeps an old one: of another model
        return super().save_pretrained(save_directory, **how)

    def _save_pretrained(self, save_directory: Path) -> None:
        data = safetensors.torch.save({name: tensor.cpu().contiguous() for name, tensor in self.state_dict().items()})
        head = {"library": "recsys-tutorial", "format": FORMAT, "version": __version__}
        head["sha256"] = hashlib.sha256(data).hexdigest()
        write_bytes(save_directory / WEIGHTS, data)
        write_text(save_directory / CONFIG, to_json({**head, **describe(self)}))

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **where: Any) -> Self:
        """Return the model in a folder, or of a name on the hub.

        Args:
            pretrained_model_name_or_path: a folder works offline, and so does a name that was downloaded before.
            where: ``revision``, ``cache_dir``, ``token``, ``force_download``, ``local_files_only``, for the hub.

        Raises:
            InputError: no such folder or name, or no network; damaged, or another library's model.
        """
        name = str(pretrained_model_name_or_path)
        folder = name if Path(name).is_dir() else _download(name, where)
        return super().from_pretrained(folder, local_files_only=True)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **where: Any) -> Self:
        folder = Path(model_id)
        try:
            described, data = json.loads((folder / CONFIG).read_text()), (folder / WEIGHTS).read_bytes()
            digest = described["sha256"]
        except FileNotFoundError as error:
            missing = Path(error.filename).name
            raise MissingFileError(f"{model_id}: no {missing}: give what save_pretrained wrote") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{model_id}: its {CONFIG} is damaged, or another library's: save it again") from error
        check_format(f"{model_id}: its {CONFIG}", described.get("format", 1), FORMAT)  # the first ones did not say
        if hashlib.sha256(data).hexdigest() != digest:
            raise InputError(f"{model_id}: {WEIGHTS} is damaged or truncated ({len(data):,} bytes): copy it anew")
        return cls.of(rebuild(described, safetensors.torch.load(data), model_id))

    def generate_model_card(self, **how: Any) -> ModelCard:
        """Return the card: data and licence, training, measured quality with its protocol, limits."""
        origin, items = self.origin, self.catalogue
        data = ModelCardData(
            library_name="recsys-tutorial", tags=["recommender-system", "pretraining", "model_hub_mixin"],
            pipeline_tag="other", **how.pop("card_data", {}),
        )  # fmt: skip
        named = [] if items is None else items.labels(range(min(2, len(items))))
        return ModelCard.from_template(
            data, template_str=CARD,
            name=how.pop("name", f"{origin.get('data', 'model')}-{origin.get('objective', 'g')}"),
            encoder=type(self.feature_extractor).__name__, dim=self.feature_extractor.dim,
            outputs="labels" if self.outputs is None else f"{len(self.outputs):,} items",
            example=", ".join(f'"{title}"' for title in named), items=f"{0 if items is None else len(items):,} items",
            data=_data(origin), training=_training(origin), quality=_table(self.quality), limits=self.limits,
        )  # fmt: skip


def _download(name: str, where: dict[str, Any]) -> str:
    """Return the folder that holds the files of ``name``, from the hub or its cache."""
    try:
        return snapshot_download(name, allow_patterns=[CONFIG, WEIGHTS, "README.md"], **where)
    except (HFValidationError, OSError) as error:
        text = f"no folder {name!r}, and the hub does not give it ({type(error).__name__})"
        raise InputError(f"{text}: check the name, or go online; a folder works offline") from error


def _data(origin: dict[str, Any]) -> str:
    """Say what the model was trained on, and under which terms that may be used."""
    name = str(origin.get("data", "not known"))
    entry = DATASETS.get(name)
    terms = f"Terms of the data: {entry.licence}. {entry.citation}." if entry else "Its terms are its owner's."
    return f"`{name}` (fingerprint `{origin.get('data_fingerprint', 'not known')}`). {terms}"


def _training(origin: dict[str, Any]) -> str:
    told = {key: value for key, value in origin.items() if not key.startswith("data") and value not in (None, {}, 0.0)}
    settings = ", ".join(f"{key} `{value}`" for key, value in told.items()) or "settings not known"
    return f"recsys-tutorial {__version__}: {settings}."


def _table(quality: pd.DataFrame | None) -> str:
    if quality is None or not len(quality):
        return "Not measured: hold it against popularity and EASE on your own data before you use it."
    lines = ["| model | protocol | metric | value | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for row in quality.to_dict("records"):
        between = f"{row['ci_low']:.4f} to {row['ci_high']:.4f}" if row["ci_low"] == row["ci_low"] else ""
        name = f"{row['metric']}@{row['k']}"
        lines.append(f"| {row['model']} | {row['protocol']} | {name} | {row['value']:.4f} | {between} |")
    return "\n".join(lines)
