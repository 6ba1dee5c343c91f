"""Vectors of texts from an address that speaks OpenAI's embeddings protocol, through the same client as chats.

Batches go one after another; a busy or failing address is asked again a few times, then it ends the run with its words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from core.errors import ProviderError, SettingsError
from core.io.providers.addresses import clean_url, key_for
from core.io.providers.client import LONGEST_WAIT, failure_of, make_client

if TYPE_CHECKING:
    import numpy as np

BATCH = 64
LONGEST = 8_000
"""Characters of a text that are sent."""
_TRIES = 4


def embeddings(
    texts: Sequence[str],
    *,
    base_url: str,
    model: str,
    key: str | None = None,
    environment: Mapping[str, str] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> np.ndarray:
    """(n, d) vectors in the order of the texts. Raises ProviderError with the address's words, SettingsError without a model."""
    import numpy as np

    if not model.strip():
        raise SettingsError("No model is named. An embedding model looks like text-embedding-3-small.", title="Choose a model")
    url = clean_url(base_url)
    secret, _ = key_for(url, key, environment)
    client = make_client(url, secret)
    parts: list[np.ndarray] = []
    try:
        for start in range(0, len(texts), BATCH):
            some = [text[:LONGEST] or " " for text in texts[start : start + BATCH]]
            parts.append(_batch(client, model.strip(), some, secret, sleep))
            if len({part.shape[1] for part in parts}) > 1:
                raise ProviderError("The vectors of two requests have different lengths. Ask one model only.", title="Vectors do not fit")
            if progress:
                progress(start + len(some), len(texts), "Encoding texts")
    finally:
        client.close()
    return np.vstack(parts) if parts else np.zeros((0, 1))


def _batch(client: object, model: str, texts: list[str], secret: str | None, sleep: Callable[[float], None]) -> np.ndarray:
    import numpy as np

    for attempt in range(_TRIES):
        try:
            answer = client.embeddings.create(model=model, input=texts, encoding_format="float")  # type: ignore[attr-defined]
            rows = sorted(answer.data, key=lambda one: one.index)
            found = np.array([one.embedding for one in rows], dtype="float32")
            if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all():
                raise ValueError("not one vector of numbers for each text")
            return found
        except Exception as error:
            failure = failure_of(error, secret)
            waited = failure.wait if failure.wait is not None else 2.0**attempt
            if failure.kind in ("fatal", "request") or attempt == _TRIES - 1 or waited > LONGEST_WAIT:
                words = failure.message.replace("a chat completion", "embeddings")
                raise ProviderError(words, title=failure.title) from None
            sleep(waited)
    raise AssertionError("every attempt returns or raises")
