"""Chats in, replies out: one padded batch through a causal language model. Knows torch, knows neither threads nor files.

Padding before the answer makes a batch answer exactly what each request alone would (padding behind it gives garbage); what all
prompts begin with, such as the same instructions, is read once. Greedy by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from typing import Any

from core.prompt import PLAIN, Message, continued

TOKENS_AT_ONCE = 6144
"""Prompt and answer tokens of one batch, padding included: about 150 MB of keys and values on the built-in model, and
past the point (16 to 32 rows of 220 tokens) where larger batches stop being faster on two cores."""
ROWS_AT_ONCE = 64
WORTH = 8
"""Tokens that all prompts of a batch must begin with alike to be read once for all of them."""


@dataclass(frozen=True)
class Limits:
    """How long and how freely to answer; the same for every request of a batch."""

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    stop_at_newline: bool = False


@dataclass(frozen=True)
class Answer:
    text: str
    tokens_out: int
    finish: str
    """stop | length | cancelled"""


def render(tokenizer: Any, messages: Sequence[Message], prefix: str = "") -> str:
    """The text the model is given: the chat, the start of the assistant's turn, and what the answer must begin with.

    Where the last message is text to be continued, that text alone, without a template.
    """
    if messages and messages[-1]["role"] == PLAIN:
        return continued(messages) + prefix
    return tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True) + prefix


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of whole texts; the template's special tokens are read as such, nothing is added."""
    return tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)["input_ids"] if texts else []


def batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Positions in groups of like length, shortest first, none holding more than TOKENS_AT_ONCE with padding."""
    groups: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        width = lengths[position] + max_tokens
        if groups and len(groups[-1]) < ROWS_AT_ONCE and (len(groups[-1]) + 1) * width <= TOKENS_AT_ONCE:
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups


def answer_batch(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    limits: Limits,
    stops: Sequence[Event | None] = (),
    watch: Callable[[list[list[int]]], None] | None = None,
    **extra: Any,
) -> list[Answer]:
    """One answer per prompt (token ids), in order. `watch` is shown the new ids of every request after each step.

    `extra` goes to `generate` (peft's adapter_names). Sampling (temperature > 0) draws from `seed`, and then the answers
    also depend on which requests share the batch.
    """
    import torch
    from transformers import StoppingCriteriaList

    width = max(map(len, prompts))
    pad = tokenizer.pad_token_id
    first = shared_beginning(prompts) if not extra and _keeps_all(model) else 0
    ids = torch.tensor([[*row[:first], *[pad] * (width - len(row)), *row[first:]] for row in prompts], device=model.device)
    mask = torch.tensor([[1] * first + [0] * (width - len(row)) + [1] * (len(row) - first) for row in prompts], device=model.device)
    ends = end_tokens(model, tokenizer)
    breaks = newline_tokens(tokenizer) if limits.stop_at_newline else frozenset()
    watcher = _watcher(width, breaks, list(stops), watch, ends)
    sampling = (
        {"do_sample": True, "temperature": limits.temperature, "top_p": 1.0, "top_k": 0} if limits.temperature > 0 else {"do_sample": False}
    )
    if limits.temperature > 0:
        torch.manual_seed(limits.seed)
    with torch.inference_mode():
        if first:
            extra["past_key_values"] = _read_once(model, ids[:1, :first], len(prompts))
        full = model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=limits.max_tokens, pad_token_id=pad, eos_token_id=sorted(ends),
            stopping_criteria=StoppingCriteriaList([watcher]), use_cache=True, **sampling, **extra,
        )  # fmt: skip
    return [
        _answer(tokenizer, row, limits, ends, breaks, i < len(stops) and _set(stops[i])) for i, row in enumerate(full[:, width:].tolist())
    ]


def shared_beginning(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all these prompts begin with alike; 0 where it is not worth a pass of its own. Each keeps a token to itself."""
    if len(prompts) < 2:
        return 0
    ordered = sorted(map(tuple, prompts))
    low, high = ordered[0], ordered[-1]  # what the first and the last in order share, all share
    most = min(map(len, prompts)) - 1
    alike = next((i for i in range(most) if low[i] != high[i]), most)
    return alike if alike >= WORTH else 0


def _keeps_all(model: Any) -> bool:
    """Whether this model keeps a key and a value of every token, which can then be copied to other rows."""
    return not getattr(model.config, "sliding_window", None) and not getattr(model, "_is_stateful", False)


def _read_once(model: Any, beginning: Any, rows: int) -> Any:
    """The keys and values of what all prompts begin with, (1, tokens), read once for so many rows."""
    from transformers import DynamicCache

    held = DynamicCache(config=model.config)
    model(input_ids=beginning, past_key_values=held, use_cache=True, logits_to_keep=1)
    held.batch_repeat_interleave(rows)
    return held


def _answer(tokenizer: Any, new: list[int], limits: Limits, ends: frozenset[int], breaks: frozenset[int], cancelled: bool) -> Answer:
    ended = next((i for i, token in enumerate(new) if token in ends), None)
    kept = new if ended is None else new[:ended]
    broken = first_break(kept, breaks)
    spent = len(new) if ended is None and broken is None else min(x for x in (ended, broken) if x is not None) + 1
    text = tokenizer.decode(kept if broken is None else kept[: broken + 1], skip_special_tokens=True)
    finish = "stop" if ended is not None or broken is not None else "cancelled" if cancelled and spent < limits.max_tokens else "length"
    return Answer(text.rstrip("\n") if broken is not None else text, spent, finish)


def first_break(new: Sequence[int], breaks: frozenset[int]) -> int | None:
    """Where the first line that says something ends: leading line breaks do not count."""
    spoken = False
    for i, token in enumerate(new):
        if token in breaks:
            if spoken:
                return i
        else:
            spoken = True
    return None


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a turn, by the model's generation settings and by the tokenizer."""
    named = model.generation_config.eos_token_id
    several = named if isinstance(named, list) else [named]
    return frozenset(token for token in [*several, tokenizer.eos_token_id] if token is not None)


@lru_cache(maxsize=4)
def newline_tokens(tokenizer: Any) -> frozenset[int]:
    """Every token whose text holds a line break (byte-level vocabularies write it as U+010A)."""
    return frozenset(index for word, index in tokenizer.get_vocab().items() if "\u010a" in word or "\n" in word)


def _set(stop: Event | None) -> bool:
    return stop is not None and stop.is_set()


def _watcher(width: int, breaks: frozenset[int], stops: list[Event | None], watch: Callable[[list[list[int]]], None] | None,
             ends: frozenset[int]) -> Any:  # fmt: skip
    """A stopping criterion per request: its person left, or its line is complete. It is also where streams look."""
    import torch
    from transformers import StoppingCriteria

    class Watcher(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
            done = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
            for i, stop in enumerate(stops):
                done[i] = _set(stop)
            if breaks or watch:
                new = input_ids[:, width:].tolist()
                if breaks:
                    done |= torch.tensor([first_break(row, breaks) is not None for row in new], device=done.device)
                if watch:
                    watch([row[: next((i for i, token in enumerate(row) if token in ends), len(row))] for row in new])
            return done

    return Watcher()
