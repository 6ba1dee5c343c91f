"""Attention for rows laid end to end in one sequence: each row sees itself alone, as if it were its own batch.

The usual mask over the whole sequence would cost its length squared. Here each row is attended to by itself, causally and
without a mask, so a packed batch costs what its rows cost and nothing is spent on padding.
"""

from __future__ import annotations

from typing import Any

from core.errors import ModelError, SettingsError

NAME = "rows_apart"


def pack_rows(model: Any) -> None:
    """Let this model take batches of `core.finetune.rows.end_to_end`; padded batches it takes as before.

    Raises SettingsError for a model whose attention cannot be exchanged.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    if not getattr(model, "_supports_attention_backend", False) or model.config._attn_implementation not in ("sdpa", NAME):
        raise SettingsError(
            f"Rows cannot be packed for a model of the kind '{model.config.model_type}'; they can for those built like Llama. Switch "
            "packing off.",
            title="This model cannot be packed",
        )
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
    window = how.get("sliding_window")
    if window and max(end - start for start, end in zip(starts, row_ends, strict=True)) > window:
        raise ModelError(f"This model looks back {window} tokens at most and a row is longer. Switch packing off.",
                         title="Rows too long to be packed")  # fmt: skip
    spans = [slice(start, end) for start, end in zip(starts, row_ends, strict=True)]
    parts = [sdpa_attention_forward(module, query[:, :, one], key[:, :, one], value[:, :, one], None, **how)[0] for one in spans]
    return torch.cat(parts, dim=1), None
