"""How likely a causal language model holds given text: one forward pass, no generation. Knows torch, knows neither threads nor files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.io.embedded.generate import encode

SCORES_AT_ONCE = 1024
"""Scored tokens of one batch, padding included: about 200 MB of scores of the built-in model's 49,152 words."""


def batches(lengths: Sequence[tuple[int, int]], tokens_at_once: int, rows_at_once: int) -> list[list[int]]:
    """Positions of (context, scored) token counts in groups of like length, shortest first, small enough for one pass."""
    groups: list[list[int]] = []
    widest = 0
    for place in sorted(range(len(lengths)), key=lambda i: (sum(lengths[i]), i)):
        width, scored = sum(lengths[place]), max(widest, lengths[place][1])
        rows = len(groups[-1]) + 1 if groups else 1
        if groups and rows <= rows_at_once and rows * width <= tokens_at_once and rows * scored <= SCORES_AT_ONCE:
            groups[-1].append(place)
            widest = scored
        else:
            groups.append([place])
            widest = lengths[place][1]
    return groups


def pieced(words: Any, texts: Sequence[str | Sequence[str]]) -> list[list[int]]:
    """Token ids of each text; of one that comes in pieces, those of its pieces one after the other."""
    parts = [[one] if isinstance(one, str) else list(one) for one in texts]
    ids = iter(encode(words, [piece for part in parts for piece in part]))
    return [[token for _ in part for token in next(ids)] for part in parts]


def log_probabilities(
    model: Any, pad: int, contexts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]], **extra: Any
) -> list[list[float]]:
    """The natural logarithm of each text token's probability after its context and the tokens before it, one list per text.

    A text without a context starts with a token nothing predicts, which gets no number. `extra` goes to the model (peft's
    adapter_names).
    """
    import torch

    rows = [[*context, *text] for context, text in zip(contexts, texts, strict=True)]
    width, scored = max(map(len, rows)), max(map(len, texts))
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=model.device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        scores = model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=scored + 1, **extra
        ).logits
        found = []
        for row, (context, text, given) in enumerate(zip(contexts, texts, scores, strict=True)):
            n = len(text) if context else max(0, len(text) - 1)
            told = torch.log_softmax(given[-n - 1 : -1].float(), dim=-1) if n else given[:0]
            aims = ids[row, width - n :]
            found.append(told.gather(1, aims[:, None])[:, 0].tolist() if n else [])
    return found
