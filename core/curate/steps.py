"""Every step there is. A recipe names them; the page, YAML and the command line read everything else from here.

Row steps are `function(rows, settings, tokenizer) -> rows with dropped`; whole-table steps are
`function(table of key columns, settings, seed) -> Change`. Raise a step's `revision` when it gives something else for the
same settings: version ids depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.curate import balance as evening
from core.curate import classes, disagreements, label_errors, personal, quality, repeats, samples, tongues, windows
from core.curate import expression as saying
from core.curate import parse as parsing
from core.curate import prompts as asking
from core.curate import scrub as scrubbing
from core.curate import split as splitting
from core.curate.fields import Settings
from core.errors import SettingsError
from core.version import Roles, Step


def _writes_nothing(settings: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class StepKind:
    title: str
    meaning: str
    """One sentence for the menu."""
    settings: type[Settings]
    function: Callable[..., Any]
    sentence: Callable[[Any], str]
    """Settings -> how a recipe names them: "price from $0.50 to $999.49"."""
    whole_table: bool = False
    revision: int = 1
    writes: Callable[[Any], Mapping[str, str]] = _writes_nothing
    """Row steps: the columns they write, each text or number."""
    roles: Callable[[Roles, Any], Roles] | None = None
    """Row steps: the roles afterwards."""
    identifies: bool = False
    """Row steps: whether the function gets what tells a text's language in place of a tokenizer."""
    keys: Callable[[Any, Roles], Sequence[str]] = repeats.text_keys
    """Whole-table steps: the columns they look at; "" is left out."""


STEPS: dict[str, StepKind] = {
    "parse": StepKind("Parse", "Lists and nested details become text, prices become numbers.", parsing.ParseSettings,
                      parsing.parse, parsing.parse_sentence, writes=parsing.parse_writes),
    "join": StepKind("Join", "Makes one text column out of several.", parsing.JoinSettings,
                     parsing.join, parsing.join_sentence, writes=parsing.join_writes, roles=parsing.join_roles),
    "scrub": StepKind("Scrub", "Removes tags, phrases, part numbers and runs of marks from texts.", scrubbing.ScrubSettings,
                      scrubbing.scrub, scrubbing.scrub_sentence, writes=scrubbing.scrub_writes),
    "length_window": StepKind("Length window", "Drops short texts and cuts long ones, in characters.", windows.LengthSettings,
                              windows.length_window, windows.length_sentence, writes=windows.length_writes),
    "token_window": StepKind("Token window", "Drops short texts and cuts long ones, in the model's tokens.", windows.TokenSettings,
                             windows.token_window, windows.token_sentence, writes=windows.token_writes),
    "range": StepKind("Range", "Keeps rows whose number lies between two ends.", windows.RangeSettings,
                      windows.in_range, windows.range_sentence),
    "missing": StepKind("Missing", "Drops rows in which a column is empty.", windows.MissingSettings,
                        windows.missing, windows.missing_sentence),
    "filter": StepKind("Filter", "Keeps or drops rows whose text matches a pattern.", windows.FilterSettings,
                       windows.matching, windows.filter_sentence),
    "expression": StepKind("Expression", "Keeps rows for which an expression over their columns is true.", saying.ExpressionSettings,
                           saying.expression, saying.expression_sentence),
    "language": StepKind("Language", "Keeps or drops rows by the language their text is written in.", tongues.LanguageSettings,
                         tongues.in_language, tongues.language_sentence, writes=tongues.language_writes, identifies=True),
    "quality": StepKind("Text quality", "Drops texts that are no prose: too short, mostly signs, the same over and over.",
                        quality.QualitySettings, quality.quality, quality.quality_sentence),
    "personal_data": StepKind("Personal data", "Masks e-mail addresses, phone and card numbers, keys and more, or drops or flags the rows.",
                              personal.PersonalSettings, personal.personal_data, personal.personal_sentence,
                              writes=personal.personal_writes),
    "exact_duplicates": StepKind("Exact duplicates", "Of rows with the same text, one stays.", repeats.ExactSettings,
                                 repeats.exact_duplicates, repeats.exact_sentence, whole_table=True, revision=2),
    "near_duplicates": StepKind("Near duplicates", "Of rows with nearly the same text, one stays.", repeats.NearSettings,
                                repeats.near_duplicates_step, repeats.near_sentence, whole_table=True, revision=2),
    "conflicting": StepKind("Conflicting", "Drops texts that come with different targets, or all but the majority.",
                            disagreements.ConflictSettings, disagreements.conflicting, disagreements.conflict_sentence,
                            whole_table=True, revision=2),
    "label_errors": StepKind("Label errors", "Flags or drops targets that the texts contradict.", label_errors.LabelErrorSettings,
                             label_errors.label_errors, label_errors.label_error_sentence, whole_table=True),
    "distinct": StepKind("Distinct", "Keeps the first N rows of each value, or the first N values of a column.", samples.DistinctSettings,
                         samples.distinct, samples.distinct_sentence, whole_table=True, keys=samples.distinct_keys),
    "balance": StepKind("Balance", "Caps how many rows have about the same number, such as the same price.", evening.BalanceSettings,
                        evening.balance, evening.balance_sentence, whole_table=True, keys=evening.balance_keys),
    "class_balance": StepKind("Class balance", "Evens out how many rows have the same label: fewer, or copies.",
                              classes.ClassBalanceSettings, classes.class_balance, classes.class_balance_sentence,
                              whole_table=True, keys=classes.class_balance_keys),
    "sample": StepKind("Sample", "Keeps the first N rows, any N rows, or N rows with the same shares.", samples.SampleSettings,
                       samples.sample, samples.sample_sentence, whole_table=True, keys=samples.sample_keys),
    "prompts": StepKind("Prompts", "Sets the question and how its answer begins.", asking.PromptSettings,
                        asking.prompts, asking.prompts_sentence, whole_table=True, keys=samples.no_keys),
    "split": StepKind("Split", "Cuts the rows into train, validation and test, related rows together.", splitting.SplitSettings,
                      splitting.split, splitting.split_sentence, whole_table=True, revision=2, keys=splitting.split_keys),
    "move_leaks": StepKind("Move leaks", "Takes out train rows that also stand in the test.", repeats.MoveSettings,
                           repeats.move_leaks, repeats.move_sentence, whole_table=True),
    "shuffle": StepKind("Shuffle", "Puts the rows in a random order.", samples.ShuffleSettings,
                        samples.shuffle, samples.shuffle_sentence, whole_table=True, keys=samples.no_keys),
}  # fmt: skip


def kind(name: str) -> StepKind:
    """The step of that name. Raises SettingsError naming the choices."""
    if name not in STEPS:
        raise SettingsError(f"There is no step '{name}'. There are {', '.join(STEPS)}.", title="Unknown step")
    return STEPS[name]


def settings_of(step: Step) -> Any:
    """The step's settings, checked. Raises SettingsError naming what is wrong."""
    return kind(step.name).settings.from_dict(step.settings)


def make(name: str, **settings: Any) -> Step:
    """A step with checked settings and the present revision; what is not named has its recommended value."""
    one = kind(name)
    return Step(name, one.settings.from_dict(settings).to_dict(), True, one.revision)


def describe(step: Step) -> str:
    """A step's settings in words: "price from $0.50 to $999.49"."""
    return kind(step.name).sentence(settings_of(step))
