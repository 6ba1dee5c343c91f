"""Attention for rows laid end to end in one sequence: each row sees itself alone, as if it were its own batch.

The usual mask over the whole sequence would cost its length squared. Here each row is attended to by itself, causally and
without a mask, so a packed batch costs what its rows cost and nothing is spent on padding. The mathematics stay the same.
"""

from __future__ import annotations

from typing import Any

NAME = "rows_apart"


def can_pack(model: Any, longest: int) -> bool:
    """Whether this model's attention can be exchanged, and rows of `longest` tokens are all it would look back on."""
    window = getattr(model.config, "sliding_window", None)
    exchangeable = getattr(model, "_supports_attention_backend", False) and model.config._attn_implementation in ("sdpa", NAME)
    return exchangeable and (not window or longest <= window)


def pack_rows(model: Any) -> None:
    """Let this model take batches of `core.finetune.rows.end_to_end`; padded batches it takes as before."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, _mask)
    model.set_attn_implementation(NAME)


def _mask(*args: Any, attention_mask: Any = None, **how: Any) -> Any:
    """The usual mask of a padded batch; rows end to end, which bring no mask, need none."""
    from transformers.masking_utils import sdpa_mask

    return None if attention_mask is None else sdpa_mask(*args, attention_mask=attention_mask, **how)


def _attention(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, row_ends: list[int] | None = None, **how: Any) -> Any:
    """query, key, value: (batch, heads, tokens, width); returns (batch, tokens, heads, width) and no weights."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if row_ends is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **how)
    starts = [0, *row_ends[:-1]]
    spans = [slice(start, end) for start, end in zip(starts, row_ends, strict=True)]
    parts = [sdpa_attention_forward(module, query[:, :, one], key[:, :, one], value[:, :, one], None, **how)[0] for one in spans]
    return torch.cat(parts, dim=1), None
