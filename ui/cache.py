"""Every cache of the app, keyed by content ids and never by a frame (large frames are hashed by a sample only)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.evaluation import Evaluation
from core.io import evaluations as kept
from core.io import store
from core.prediction import Examples
from core.prediction import examples as make_examples

if TYPE_CHECKING:
    import pandas as pd


@st.cache_resource(max_entries=8, show_spinner=False)
def frame(dataset: str, version: str) -> pd.DataFrame:
    """The whole table of a version. Shared: do not change it."""
    return store.frame(store.version(dataset, version))


@st.cache_resource(max_entries=8, show_spinner=False)
def examples(dataset: str, version: str, split: str) -> Examples:
    """The rows of one split as predictors see them, with targets."""
    one = store.version(dataset, version)
    rows = frame(dataset, version)
    rows = rows.loc[rows[one.roles.split].astype("str") == split] if one.roles.split else rows
    return make_examples(rows.reset_index(drop=True), one.roles, one.task or "chat")


@st.cache_data(max_entries=16, show_spinner=False)
def _evaluations(dataset: str, version: str | None, stamp: Any) -> list[Evaluation]:
    return kept.of(dataset, version)


def evaluations(dataset: str, version: str | None = None) -> list[Evaluation]:
    """Everything that answered rows of this dataset (or of one version of it), the oldest first."""
    return _evaluations(dataset, version, kept.stamp(dataset))


@st.cache_resource(max_entries=1, show_spinner=False, on_release=lambda engine: engine.close())
def engine() -> Any:
    """The embedded model with all its adapters: one copy, one thread that owns it."""
    from core.io import embedded

    return embedded.engine()


@st.cache_data(max_entries=32, show_spinner=False)
def ready(dataset: str, version: str) -> str | None:
    """Why nothing can be measured on this version yet, or None."""
    from core.io import projects

    return projects.ready(store.version(dataset, version))


@st.cache_resource(max_entries=6, show_spinner=False)
def training_rows(dataset: str, version: str, max_tokens: int, model: str) -> Any:
    """A version's train and validation rows as this model's tokens (`core.io.lora.Prepared`)."""
    from core.finetune.settings import TrainSettings
    from core.io import lora

    one = store.version(dataset, version)
    return lora.prepare(one, lora.prompt_of(one), TrainSettings(max_tokens=max_tokens), Path(model))


@st.cache_data(max_entries=16, show_spinner=False)
def leaked(dataset: str, version: str) -> int:
    """Test rows that are also train rows, by their texts."""
    from core.finetune import checks

    return checks.leaked(examples(dataset, version, "train").text, examples(dataset, version, "test").text)


@st.cache_data(max_entries=16, show_spinner=False)
def leaked_places(dataset: str, version: str) -> list[int]:
    """Places in the test split of rows that train rows know: as the gate kept them, else looked for now (up to 50,000 rows)."""
    from core.io import curating

    return curating.leaked_places(store.version(dataset, version))


@st.cache_data(max_entries=16, show_spinner=False)
def test_hash(dataset: str, version: str) -> str:
    """The hash of a version's test rows: which evaluations belong to it."""
    from core.evaluation import test_id

    return test_id(examples(dataset, version, "test"))


@st.cache_data(max_entries=16, show_spinner=False)
def _ranked(dataset: str, version: str, stamp: Any) -> list[Any]:
    from core.evaluate.inside import measured

    wanted = test_hash(dataset, version)
    same = [one for one in kept.of(dataset) if one.test_id == wanted]
    own = [one for one in same if one.version == version]
    titles = {one.title for one in own}
    found = own + [one for one in same if one.version != version and one.title not in titles]
    return list(zip(found, measured(found, together(dataset, version)), strict=True))


@st.cache_data(max_entries=16, show_spinner=False)
def together(dataset: str, version: str) -> dict[int, Any] | None:
    """Which test rows belong together, by place (see `core.io.testing.groups`)."""
    from core.io import testing

    return testing.groups(store.version(dataset, version))


def ranked(dataset: str, version: str) -> list[Any]:
    """(evaluation, its metrics) of everything that answered this version's test rows, each over the rows it answered itself."""
    return _ranked(dataset, version, kept.stamp(dataset))


@st.cache_resource(max_entries=2, show_spinner=False)
def neighbours(dataset: str, version: str) -> Any:
    """The train texts of a version, searchable by similarity."""
    from core.predict.neighbours import Index

    return Index().fit(examples(dataset, version, "train").text)


@st.cache_data(max_entries=16, show_spinner=False)
def train_facts(dataset: str, version: str) -> dict[str, float]:
    """What estimates need: train and test rows, mean characters of a train text, different labels in train."""
    train, test = examples(dataset, version, "train"), examples(dataset, version, "test")
    length = sum(map(len, train.text[:2000])) / max(1, len(train.text[:2000]))
    return {"train": len(train), "test": len(test), "length": length, "labels": len(set(train.targets or ()))}


@st.cache_resource(max_entries=4, show_spinner=False)
def some_rows(dataset: str, version: str) -> Examples:
    """At most 2,000 train rows spread over all of them, in order."""
    rows = examples(dataset, version, "train")
    return rows if len(rows) <= 2_000 else rows.take([place * len(rows) // 2_000 for place in range(2_000)])


@st.cache_resource(max_entries=4, show_spinner=False)
def noticed(dataset: str, version: str) -> Any:
    """Engineered features of these train rows (`core.predict.noticed.Feature`), each with the share of rows that tell it."""
    from core.predict.noticed import noticed as look

    rows = some_rows(dataset, version)
    return [(one, one.coverage(one.read(rows))) for one in look(rows)]


@st.cache_resource(max_entries=2, show_spinner=False, scope="session")
def loaded(sha: str, name: str, options: Any, _data: bytes) -> Any:
    """An uploaded file as it was read and the roles guessed for it (`Loaded`, `Guess`), by the hash of its bytes."""
    from core.io import reading
    from core.load.roles import guess

    found = reading.load(name, _data, options)
    return found, guess(found.frame)


@st.cache_resource(max_entries=8, show_spinner=False)
def profile(dataset: str, version: str) -> Any:
    """Columns and findings of a version, of its first 200,000 rows when it is longer."""
    from core.explore.profile import profile as make
    from core.io import numbers

    one = store.version(dataset, version)
    rows = frame(dataset, version).head(200_000)
    return make(rows, one.roles, one.task, numbers.lengths(one)[: len(rows)] if one.roles.text else None)


@st.cache_resource(max_entries=8, show_spinner=False)
def lengths(dataset: str, version: str, tokenizer: str) -> Any:
    """Tokens per row of a version as an array."""
    from core.io import numbers

    return numbers.lengths(store.version(dataset, version), tokenizer)


@st.cache_resource(max_entries=8, show_spinner=False)
def measured(dataset: str, version: str, column: str) -> Any:
    """A numeric column or a number beside the table (n_tokens, target) as an array of floats."""
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    from core.io import numbers

    one = store.version(dataset, version)
    if column in one.columns:
        return np.asarray(pd.to_numeric(frame(dataset, version)[column], errors="coerce"), dtype="float64")
    return pq.read_table(numbers.ensure(one), columns=[column]).column(column).to_numpy()


@st.cache_resource(max_entries=4, show_spinner=False)
def same_text(dataset: str, version: str) -> dict[int, tuple[int, ...]]:
    """Row -> all rows with the same text, for rows that have such others."""
    from core.explore.findings import text_of

    text = text_of(frame(dataset, version), store.version(dataset, version).roles)
    twice = text.loc[(text != "") & text.duplicated(keep=False)]
    groups = [tuple(int(row) for row in rows) for rows in twice.groupby(twice).groups.values()]
    return {row: rows for rows in groups for row in rows}


@st.cache_resource(max_entries=4, show_spinner=False)
def training_report(dataset: str, version: str, model: str, max_tokens: int) -> Any:
    """The checks of a version's training file (`core.validate.report.Report`)."""
    from core.io import validating

    return validating.check_version(store.version(dataset, version), model=model, max_tokens=max_tokens)


@st.cache_resource(max_entries=4, show_spinner=False, scope="session")
def file_report(
    sha: str, name: str, fixed: tuple[str, ...], model: str, max_tokens: int, against: tuple[str, ...], _data: bytes, _others: Any
) -> Any:
    """The checks of an uploaded training file after the fixes that were applied, in their order ("check" or "check:fix").

    `against` are the hashes of validation and test files, `_others` their (name, bytes).
    """
    from core.io import validating
    from core.validate.fixes import mend
    from core.validate.reading import read_training

    if fixed:
        before = file_report(sha, name, fixed[:-1], model, max_tokens, against, _data, _others)
        names = {check.name for check in before.checks}
        check, _, by = fixed[-1].partition(":")
        file = mend(before, check, validating.count_for(model), by or None).file if check in names else before.file
    else:
        file = read_training(name, _data)
    others = [read_training(other, content).rows for other, content in _others]
    return validating.check(file, others, model=model, max_tokens=max_tokens)


@st.cache_data(max_entries=16, show_spinner=False)
def training_costs(key: str, epochs: int, stamp: str, _made: Any, _prices: Any) -> list[Any]:
    """What training on a checked file costs, this machine first; `key` names the file and how it was counted, `stamp` the rest."""
    from core.io import costing

    return costing.costs(_made, _prices, epochs, token_usage(key, _made))


@st.cache_resource(max_entries=4, show_spinner=False)
def token_usage(key: str, _made: Any) -> Any:
    """A checked file's tokens as each model counts them, every way of counting once."""
    from core.io import costing

    return costing.usage(_made)


def price_stamp(prices: Any) -> str:
    """What costs depend on besides the file: the prices, the day, and what is known about this machine."""
    from core.io import embedded, pricing

    return f"{pricing.today()} {embedded.is_ready()} {embedded.remembered_rate()} {prices!r}"


def embedded_ready() -> bool:
    """Whether the embedded model is converted, so that its tokenizer is at hand."""
    from core.io import embedded

    return embedded.is_ready()
