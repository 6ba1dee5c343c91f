"""Which tokenizer a model name means: an own table, because tiktoken's maps `ft:gpt-4.1` to the wrong one.

A fine-tuned name is resolved to its base first: `ft:BASE:org:suffix:id`, `ft:...:ckpt-step-N`, and the old
`BASE:ft-org-2023-...`. Not known here: the tokenizers of open models.
"""

from __future__ import annotations

_PREFIXES = (
    (("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-6", "chatgpt-4o", "o1", "o3", "o4"), "o200k_base"),
    (("gpt-4", "gpt-3.5", "gpt-35", "babbage-002", "davinci-002", "text-embedding"), "cl100k_base"),
    (("text-davinci-002", "text-davinci-003", "code-"), "p50k_base"),
    (("ada", "babbage", "curie", "davinci", "text-ada", "text-babbage", "text-curie", "text-davinci"), "r50k_base"),
)
DEFAULT = "o200k_base"


def base_of(model: str) -> str:
    """The base model of a fine-tuned model's name; any other name as it is."""
    name = model.strip()
    if name.startswith("ft:"):
        return name.split(":")[1]
    return name.split(":ft-", 1)[0] if ":ft-" in name else name


def is_tuned(model: str) -> bool:
    """Whether the name is that of a fine-tuned model."""
    return base_of(model) != model.strip()


def encoding_of(model: str) -> tuple[str, bool]:
    """(name of the encoding, whether it is assumed because the model is not in the table)."""
    name = base_of(model).casefold()
    for prefixes, encoding in _PREFIXES:
        if name.startswith(prefixes):
            return encoding, False
    return DEFAULT, True
