"""Every predictor by name. Importing this imports no scikit-learn, no gensim and no model.

The names are the command line's (`--only`) and stand in evaluations: they do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Any

from core.errors import SettingsError
from core.prediction import Predictor

NUMBERS_AND_LABELS = ("regression", "classification")
ANY = ("regression", "classification", "qa", "chat")


@dataclass(frozen=True)
class Entry:
    title: str
    """At most 22 characters; {model} stands for the language model's name."""
    family: str
    """trivial | classical | prompted"""
    tasks: tuple[str, ...]
    path: str
    """module:class"""
    meaning: str
    """One sentence for people who never heard the term."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Given to the constructor, unless the person says otherwise."""
    default_on: bool = False
    default_for: tuple[str, ...] = ()
    """Tasks where it runs unless switched off, although it does not elsewhere."""
    needs: tuple[str, ...] = ()
    """Arguments of the constructor that come from outside: `complete` and `prompt`, or `encode`."""
    takes: tuple[str, ...] = ()
    """Arguments that may come from outside."""
    context: bool = False
    """Only where a question comes with the text it is about (`core.predict.questions.context_column`)."""
    seconds: float = 0.1
    """Of one core for 1,000 train rows of about 160 words, with 250 test rows: for estimates."""

    def load(self) -> Callable[..., Predictor]:
        module, name = self.path.split(":")
        return getattr(import_module(module), name)


def entry(name: str) -> Entry:
    """Raises SettingsError naming the choices."""
    if name not in PREDICTORS:
        raise SettingsError(f"There is no predictor '{name[:60]}'. Choose among {', '.join(PREDICTORS)}.", title="Unknown predictor")
    return PREDICTORS[name]


def names_for(task: str, *, default: bool = False, context: bool = True) -> list[str]:
    """Predictors that can answer this task, in order; with `default` only those that run unless switched off.

    `context` says whether questions come with the text they are about.
    """
    known = {name: one for name, one in PREDICTORS.items() if task in one.tasks and (context or not one.context)}
    return [name for name, one in known.items() if not default or one.default_on or task in one.default_for]


def title_of(name: str, settings: Mapping[str, Any] | None = None) -> str:
    """The title, with how many features were left out and derived where they were."""
    off, made = (len((settings or {}).get(key) or ()) for key in ("off", "made"))
    changed = " ".join(part for part in (f"−{off}" if off else "", f"+{made}" if made else "") if part)
    return f"Linear, features {changed}" if changed else entry(name).title


def make(name: str, settings: Mapping[str, Any] | None = None, *, seed: int = 0, **given: Any) -> Predictor:
    """A fresh predictor. `given` are the arguments it `needs`; a setting it does not have raises SettingsError."""
    one = entry(name)
    build = one.load()
    known = [part.name for part in fields(build) if part.init and part.name not in (*one.needs, *one.takes)]  # type: ignore[arg-type]
    wanted = {**one.settings, **(settings or {})}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise SettingsError(
            f"{one.title} has no setting {', '.join(unknown)}; it has {', '.join(known) or 'none'}.", title="Unknown setting"
        )
    missing = [need for need in one.needs if given.get(need) is None]
    if missing:
        raise SettingsError(f"{name} needs {' and '.join(missing)}, which was not given.", title="Something is missing")
    seeded = {"seed": seed} if "seed" in known and "seed" not in wanted else {}
    brought = {name: given[name] for name in (*one.needs, *one.takes) if given.get(name) is not None}
    return build(**brought, **seeded, **wanted)


_SPEAKS = ("complete", "prompt")

PREDICTORS: dict[str, Entry] = {
    "random": Entry("Random guess", "trivial", ANY, "core.predict.trivial:Random", "The answer of a train row drawn by lot."),
    "constant_mean": Entry("Constant (mean)", "trivial", ("regression",), "core.predict.trivial:Constant",
                           "The average of the train rows, every time.", {"statistic": "mean"}),
    "constant_median": Entry("Constant (median)", "trivial", ("regression",), "core.predict.trivial:Constant",
                             "The middle of the train rows, every time.", {"statistic": "median"}, default_on=True),
    "constant_geometric": Entry("Constant (geometric)", "trivial", ("regression",), "core.predict.trivial:Constant",
                                "The geometric mean of the train rows, every time: the best constant where ratios count.",
                                {"statistic": "geometric"}),
    "constant_group": Entry("Constant per category", "trivial", NUMBERS_AND_LABELS, "core.predict.trivial:GroupConstant",
                            "The middle (or the most frequent answer) of the row's category."),
    "majority": Entry("Most frequent answer", "trivial", ("classification", "qa", "chat"), "core.predict.trivial:Majority",
                      "The commonest train answer, every time.", default_on=True),
    "features_linear": Entry("Linear on features", "classical", NUMBERS_AND_LABELS, "core.predict.features:FeaturesLinear",
                             "A weighted sum of weight, rank, length, brand and category.", default_on=True, seconds=1.2),
    "bow_linear": Entry("Bag of words + linear", "classical", NUMBERS_AND_LABELS, "core.predict.linear:BowLinear",
                        "Each frequent word adds to the answer or takes from it.", default_on=True, seconds=0.3),
    "tfidf_linear": Entry("TF-IDF + linear", "classical", NUMBERS_AND_LABELS, "core.predict.linear:TfidfLinear",
                          "Words and pairs of words, rare ones weighing more.", default_on=True, seconds=0.4),
    "word2vec_linear": Entry("word2vec + linear", "classical", NUMBERS_AND_LABELS, "core.predict.vectors:Word2VecLinear",
                             "Words as directions learnt from the train texts, averaged per row.", default_on=True, seconds=1.8),
    "word2vec_svm": Entry("word2vec + SVM", "classical", NUMBERS_AND_LABELS, "core.predict.vectors:Word2VecSvm",
                          "The same directions under a support vector machine.", seconds=1.8),
    "svm": Entry("Linear SVM", "classical", NUMBERS_AND_LABELS, "core.predict.linear:Svm",
                 "A support vector machine on weighted words.", default_on=True, seconds=0.3),
    "forest": Entry("Random forest", "classical", NUMBERS_AND_LABELS, "core.predict.trees:Forest",
                    "Many decision trees, averaged, on words and features.", default_on=True, seconds=2.3),
    "boosting": Entry("Gradient boosting", "classical", NUMBERS_AND_LABELS, "core.predict.trees:Boosting",
                      "Small trees one after another, each mending what is still missed.", seconds=2.1),
    "neighbours": Entry("Nearest rows", "classical", ANY, "core.predict.neighbours:Neighbours",
                        "What the most similar train rows say.", default_on=True, seconds=0.3),
    "overlap": Entry("Sentence overlap", "classical", ("qa",), "core.predict.questions:Overlap",
                     "The sentence of the row's own text that shares most with the question.", default_on=True, context=True),
    "overlap_words": Entry("Overlap, three words", "classical", ("qa",), "core.predict.questions:Overlap",
                           "At most three words of that sentence: those next to what the question says.", {"longest": 3},
                           default_on=True, context=True),
    "embedding_linear": Entry("Embeddings + linear", "classical", NUMBERS_AND_LABELS, "core.predict.embedding:EmbeddingLinear",
                              "A small model reads each text as 384 numbers (English only); a linear model reads these.",
                              needs=("encode",), seconds=60.0),
    "prompted": Entry("{model} prompted", "prompted", ANY, "core.predict.prompted:Prompted",
                      "A language model is asked, and told nothing else.", needs=_SPEAKS, default_for=("qa", "chat")),
    "fewshot": Entry("{model} few-shot", "prompted", ANY, "core.predict.prompted:FewShot",
                     "A language model is asked after it has seen the same few solved rows.", needs=_SPEAKS),
    "retrieval": Entry("{model} + retrieval", "prompted", ANY, "core.predict.retrieved:Retrieval",
                       "A language model is asked after it has seen the most similar rows, solved.", needs=_SPEAKS, takes=("encode",),
                       default_for=("qa", "chat")),
    "passages": Entry("{model} + passages", "prompted", ANY, "core.predict.retrieved:PassageRetrieval",
                      "A language model is asked with the nearest passages of a text in the question.", needs=(*_SPEAKS, "passages"),
                      takes=("encode",)),
}  # fmt: skip
