"""Which tokenizer a model name means: an own table, because tiktoken's maps `ft:gpt-4.1` to the wrong one.

A fine-tuned name is resolved to its base first: `ft:BASE:org:suffix:id`, `ft:...:ckpt-step-N`, and the old
`BASE:ft-org-2023-...`. Local models bring their own tokenizer and chat template: "embedded" is the built-in one, "file:FOLDER"
a folder in the Hugging Face layout, "hub:OWNER/NAME" a tokenizer of the Hub (its text alone, without a template).
"""

from __future__ import annotations

_PREFIXES = (
    (("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-6", "chatgpt-4o", "gpt-oss", "o1", "o3", "o4"), "o200k_base"),
    (("gpt-4", "gpt-3.5", "gpt-35", "babbage-002", "davinci-002", "text-embedding"), "cl100k_base"),
    (("text-davinci-002", "text-davinci-003", "code-"), "p50k_base"),
    (("ada", "babbage", "curie", "davinci", "text-ada", "text-babbage", "text-curie", "text-davinci"), "r50k_base"),
)
DEFAULT = "o200k_base"
EMBEDDED, FILE, HUB = "embedded", "file:", "hub:"


def base_of(model: str) -> str:
    """The base model of a fine-tuned model's name; any other name as it is."""
    name = model.strip()
    if name.casefold().startswith("ft:"):
        return name.split(":")[1]
    return name.split(":ft-", 1)[0] if ":ft-" in name else name


def is_tuned(model: str) -> bool:
    """Whether the name is that of a fine-tuned model."""
    return base_of(model) != model.strip()


def is_local(model: str) -> bool:
    """Whether the model brings its own tokenizer and is trained on a machine of one's own."""
    return model == EMBEDDED or model.startswith((FILE, HUB))


def encoding_of(model: str) -> tuple[str, bool]:
    """(name of the encoding, whether it is assumed because the model is not in the table)."""
    name = base_of(model).casefold()
    for prefixes, encoding in _PREFIXES:
        if name.startswith(prefixes):
            return encoding, False
    return DEFAULT, True


def how_counted(model: str) -> str:
    """One sentence on whose tokens these are."""
    if model == EMBEDDED or model.startswith(FILE):
        return "Counted with the model's own tokenizer and chat template."
    if model.startswith(HUB):
        return "Counted with the model's own tokenizer; its chat template is not known, so 3 tokens a message stand for it."
    encoding, assumed = encoding_of(model)
    base = base_of(model)
    if assumed:
        return f"'{base[:60]}' is not in the table of models: counted with {encoding}, which may not be its own."
    return f"Counted with {encoding}" + (f", the encoding of {base}." if is_tuned(model) else ".")
