"""How surprised a model is by the right answers of rows: every token of the answer and the end of the turn, after the very prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.evaluate.perplexity import Surprise, bits_per_byte, perplexity
from core.evaluation import Evaluation
from core.finetune.rows import answer_texts
from core.io import evaluations
from core.io.embedded import engine
from core.io.testing import test_rows
from core.prediction import Examples
from core.prompt import Prompt
from core.version import Version


def surprises(prompt: Prompt, rows: Examples, base: Path | None, adapter: Path | None = None, progress: Any = None) -> list[Surprise]:
    """One for each row with its right answer, in order. Raises ValueError for rows without answers."""
    if rows.targets is None:
        raise ValueError("rows without right answers have no completions")
    texts = answer_texts(rows, prompt, rows.targets)
    chats = [prompt.question(row) for row in rows.rows()]
    found = engine(base).log_probabilities(texts, adapter=adapter, before=chats, prefix=prompt.prefix, end=True, progress=progress)
    return [Surprise(-sum(row), len(row), len(text.encode())) for row, text in zip(found, texts, strict=True)]


def noted(
    one: Evaluation, version: Version, prompt: Prompt, base: Path | None, adapter: Path | None = None, progress: Any = None
) -> Evaluation:
    """The evaluation with the completion perplexity of the rows it holds in its notes, saved.

    notes["perplexity"] = {value, low, high, n, tokens}, notes["bits_per_byte"] = {value, low, high, n}.
    """
    rows = test_rows(version).take(one.answers["index"].tolist())
    told = surprises(prompt, rows, base, adapter, progress)
    found = {
        "perplexity": {**_ends(perplexity(told)), "tokens": sum(row.tokens for row in told)},
        "bits_per_byte": _ends(bits_per_byte(told)),
    }
    return evaluations.save(replace(one, notes={**dict(one.notes), **found}))


def _ends(measured: Any) -> dict[str, Any]:
    told = measured.to_dict()
    return {name: told.get(name) for name in ("value", "low", "high")} | {"n": measured.n}
