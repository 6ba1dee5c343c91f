"""The model card of an adapter or of its merged model: README.md with the metadata the Hugging Face Hub reads.

What is not known (a licence, a base model on the Hub, a measurement) is left out of the metadata and said in words. Names,
prompts and labels come from data and stand in the card as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core import format as fmt
from core.card import text

MERGED, ADAPTER = "merged", "adapter"
LICENCE = "Not known. Whoever publishes this writes here what the base model and the data allow, and adds `license:` above."
UPLOADED = "It was uploaded to Finetune Studio, not trained there."
_TITLES = {"regression": "a number", "classification": "a label", "qa": "a short answer", "chat": "a reply"}
_SETTINGS = ("epochs", "max_steps", "learning_rate", "schedule", "batch", "accumulate", "max_tokens", "rank", "alpha", "dropout", "targets",
             "rslora", "dora", "packing", "precision", "quantization", "answers_only", "seed")  # fmt: skip
"""The settings that decide what was learnt, in the order of the card."""

Span = tuple[float, float, float]
"""Value and the two ends of its 95 % interval; NaN ends where there is none."""


@dataclass(frozen=True)
class Score:
    """One metric of the adapter and of its base model on the same n test rows."""

    title: str
    unit: str
    n: int
    adapter: Span
    base: Span | None = None
    """None while the base model has not answered these rows."""
    difference: Span | None = None
    """Adapter minus base, paired row by row."""
    verdict: str = ""
    """better | worse | not distinguishable: what the adapter is."""


@dataclass(frozen=True)
class About:
    """What a card tells. `base_id` is the base model's name on the Hub, "" when it is not from there."""

    title: str
    base: str
    base_id: str = ""
    revision: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    """Two letters each, the most frequent first."""
    dataset: str = ""
    version: str = ""
    task: str = ""
    rows: int = 0
    test_rows: int = 0
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt: Mapping[str, Any] = field(default_factory=dict)
    train_loss: float | None = None
    validation_loss: float | None = None
    first_validation_loss: float | None = None
    scores: tuple[Score, ...] = ()
    forgetting: Mapping[str, Any] = field(default_factory=dict)
    uploaded: bool = False


def adapter_card(about: About, kind: str = ADAPTER) -> str:
    """README.md of an adapter, or with `kind` MERGED of the full weights it was merged into."""
    parts = [_front(about, kind), f"# {text(about.title)}", _what(about, kind), "## Use", _use(about, kind), "## Trained on", _data(about)]
    if about.settings:
        parts += ["## Settings", _settings(about)]
    if about.prompt:
        parts += ["## Prompt", "The same text in training and in use; `$name` is a column of the row.", _prompt(about.prompt)]
    parts += ["## Scores", _scores(about), "## Forgetting", _forgetting(about), "## Limits", _limits(about)]
    return "\n\n".join([*parts, "## Licence", text(about.licence) if about.licence else LICENCE]) + "\n"


def _front(about: About, kind: str) -> str:
    import yaml

    merged = kind == MERGED
    data: dict[str, Any] = {"library_name": "transformers" if merged else "peft", "pipeline_tag": "text-generation"}
    if about.base_id:
        data |= {"base_model": about.base_id, "base_model_relation": "finetune" if merged else "adapter"}
    if about.licence:
        data["license"] = about.licence.casefold()
    if about.languages:
        data["language"] = list(about.languages)
    data["tags"] = ["finetune-studio", "sft", *([] if merged else ["lora"]), *([about.task] if about.task else [])]
    return f"---\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True)}---"


def _what(about: About, kind: str) -> str:
    of = f"{text(about.base)}" + (f" (`{about.base_id}`)" if about.base_id else "")
    thing = f"{of} with a LoRA adapter merged into its weights." if kind == MERGED else f"A LoRA adapter for {of}."
    answers = f" It answers with {_TITLES[about.task]}." if about.task in _TITLES else ""
    fits = f" It fits these base weights only: `{about.revision}`." if about.revision and kind == ADAPTER else ""
    came = f" {UPLOADED}" if about.uploaded else " Trained with Finetune Studio."
    return thing + answers + fits + came


def _use(about: About, kind: str) -> str:
    """A script that runs beside this card, the question's placeholders still in it."""
    base = about.base_id or "path/to/the/base/model"
    prompt = dict(about.prompt)
    chat = [{"role": "system", "content": prompt["system"]}] if str(prompt.get("system") or "").strip() else []
    chat.append({"role": "user", "content": prompt.get("user") or "your question"})
    ask = repr(chat[-1]["content"] + str(prompt.get("prefix") or "")) if prompt.get("plain") else (
        f"words.apply_chat_template({chat!r}, tokenize=False, add_generation_prompt=True) + {prompt.get('prefix') or ''!r}")  # fmt: skip
    load = ['words = AutoTokenizer.from_pretrained(".")', 'model = AutoModelForCausalLM.from_pretrained(".")']
    if kind == ADAPTER:
        load = [f"words = AutoTokenizer.from_pretrained({base!r})",
                f'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({base!r}), ".")']  # fmt: skip
    lines = [
        *(["from peft import PeftModel"] if kind == ADAPTER else []),
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        *load,
        f"text = {ask}",
        'given = words(text, add_special_tokens=False, return_tensors="pt")',
        f"made = model.generate(**given, max_new_tokens={int(prompt.get('max_tokens') or 128)}, do_sample=False)",
        'print(words.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True))',
    ]
    return _fenced("\n".join(lines), "python")


def _data(about: About) -> str:
    if about.uploaded or not about.version:
        return "Not known here: this adapter came from elsewhere."
    held = f" None of the {fmt.plural(about.test_rows, 'test row')} was among them." if about.test_rows else ""
    spent = f" in {fmt.duration(about.seconds)}" if about.seconds else ""
    kept = f" Step {fmt.count(about.step)} of {fmt.count(about.steps)} is kept{spent}." if about.steps else ""
    return f"{fmt.plural(about.rows, 'train row')} of the dataset {text(about.dataset)}, version `{about.version}`.{held}{kept}"


def _settings(about: About) -> str:
    rows = [f"| {name.replace('_', ' ')} | {_cell(about.settings[name])} |" for name in _SETTINGS if name in about.settings]
    losses = [("train loss", about.train_loss), ("validation loss before training", about.first_validation_loss),
              ("validation loss of this step", about.validation_loss)]  # fmt: skip
    rows += [f"| {name} | {value:.4f} |" for name, value in losses if value is not None]
    return "\n".join(["| setting | value |", "|---|---|", *rows])


def _cell(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else text(f"{value:g}" if isinstance(value, float) else str(value))


def _prompt(prompt: Mapping[str, Any]) -> str:
    return _fenced("\n".join(f"{name}: {value!r}" for name, value in prompt.items() if value not in ("", None)), "text")


def _fenced(body: str, language: str) -> str:
    """A block whose fence is longer than any in it."""
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}{language}\n{body}\n{fence}"


def _scores(about: About) -> str:
    if not about.scores:
        return "Not measured: no test rows were answered."
    n = about.scores[0].n
    head = f"On the same {fmt.plural(n, 'test row')}, never shown in training, with 95 % intervals. The difference is paired row by row."
    rows = ["| metric | this adapter | base model | difference | |", "|---|---|---|---|---|"]
    for one in about.scores:
        told = [_span(one.adapter, one.unit, n), _span(one.base, one.unit, n) if one.base else "not measured",
                _span(one.difference, one.unit, None, signed=True) if one.difference else "", one.verdict]  # fmt: skip
        rows.append(f"| {text(one.title)} | {' | '.join(told)} |")
    return f"{head}\n\n" + "\n".join(rows) + "\n\nThe luck of the training seed is in none of these intervals."


def _span(span: Span, unit: str, n: int | None, signed: bool = False) -> str:
    value, low, high = span
    if signed and unit == "share":
        shown = fmt.signed(f"{100 * value:+.0f}") + " points"
    else:
        shown = ("+" if signed and value > 0 else "") + fmt.metric(unit, value, n)
    ends = fmt.interval(low, high, unit, prose=True)
    return text(shown if ends == "n/a" else f"{shown} {ends}")


def _forgetting(about: About) -> str:
    texts = [one for one in about.forgetting.get("texts", ()) if "before" in one and "after" in one]
    questions = about.forgetting.get("questions") or {}
    if not texts and not questions:
        return "Not measured."
    rows = ["| general text | perplexity before | after | difference | |", "|---|---|---|---|---|"]
    rows += [f"| {text(str(one.get('language', '')))} | {fmt.number(one['before'])} | {fmt.number(one['after'])} | {_change(one)} | "
             f"{_finding(one)} |" for one in texts]  # fmt: skip
    told = ["\n".join(rows)] if texts else []
    if questions:
        asked = fmt.plural(int(questions.get("n", 0)), "general question")
        told.append(f"{asked}: {fmt.share(questions['before'])} right before, {fmt.share(questions['after'])} after."
                    + (f" {text(str(questions['finding']))}" if questions.get("finding") else ""))  # fmt: skip
    return "\n\n".join(told)


def _change(one: Mapping[str, Any]) -> str:
    found = [one.get(name) for name in ("difference", "low", "high")]
    if any(value is None for value in found):
        return "n/a"
    return text(f"{fmt.number(found[0])} {fmt.interval(found[1], found[2], prose=True)}")  # type: ignore[arg-type]


def _finding(one: Mapping[str, Any]) -> str:
    return f"forgotten: {text(str(one['finding']))}" if one.get("finding") else ""


def _limits(about: About) -> str:
    told = ["It repeats what its rows say, true or not, and what is wrong or unfair in them.",
            "The scores hold for rows like the test rows; other texts were not measured." if about.scores else
            "Nothing is known of how well it answers.",
            "It was asked with the prompt above; other wordings may be answered worse." if about.prompt else "",
            "Small models make up facts. Check what matters." if about.task in ("qa", "chat") else ""]  # fmt: skip
    return "\n".join(f"* {one}" for one in told if one)
