"""Baselines: which predictors run with which settings, the run bar, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core import format as fmt
from core.errors import DataError
from core.io import jobs as work
from core.io.providers.addresses import OPENAI, for_child
from core.predict.estimate import seconds as estimated
from core.predict.questions import context_column
from core.predict.registry import NUMBERS_AND_LABELS, PREDICTORS, names_for
from core.version import Version
from ui import baselines_features as features
from ui import baselines_prompted as prompted
from ui import cache, jobs
from ui.explore_send import propose
from ui.layout import empty, run_bar
from ui.state import go, guarded, show_error

FAMILIES = {"trivial": "Trivial", "classical": "Classical", "prompted": "Language model"}
SCALES = ("as each predictor likes", "as they are", "as logarithms")
SCALED = (
    "features_linear",
    "bow_linear",
    "tfidf_linear",
    "word2vec_linear",
    "word2vec_svm",
    "svm",
    "forest",
    "boosting",
    "embedding_linear",
)


@dataclass(frozen=True)
class Plan:
    """What the button would start."""

    names: tuple[str, ...]
    seed: int = 0
    limit: int = 250
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: prompted.Asked = field(default_factory=prompted.Asked)


def nothing_to_measure(version: Version) -> bool:
    """Empty states: no target, no test rows. Returns whether one was shown."""
    if not version.roles.target or not version.task:
        empty("target", "Nothing to predict yet", "Baselines need to know which column is the answer.", "Choose what to predict",
              to="explore", key="baselines")  # fmt: skip
        return True
    if version.splits.get("test") and version.splits.get("train"):
        return False
    number = f"version {version.number}"
    told = f"Baselines are measured on rows kept aside. Split {number} first: 80 % train, 10 % validation, 10 % test."
    title = "No test rows yet" if not version.splits.get("test") else "No train rows yet"
    empty("call_split", title, told, f"Split {number}", to="curate", key="baselines", first=lambda: propose(version, "split"))
    return True


def settings(version: Version, answered: set[str]) -> Plan:
    """The expander "Predictors and settings": pills by family, seed, rows for language models, the scale of numbers."""
    kind = version.task or "chat"
    context = context_column(version.roles) is not None
    known = names_for(kind, context=context)
    start = [name for name in names_for(kind, default=True, context=context) if name not in answered]
    with st.expander("Predictors and settings", icon=":material/tune:", key="baselines_settings", on_change="rerun"):
        names: list[str] = []
        for family, title in FAMILIES.items():
            options = [name for name in known if PREDICTORS[name].family == family]
            picked = st.pills(
                title, options, selection_mode="multi", default=[name for name in options if name in start],
                format_func=_title, key=f"baselines_{family}_{kind}_{len(answered)}_{version.id}",
                help=_meanings(options),
            )  # fmt: skip
            names += picked or []
        chosen = features.editor(version, f"baselines_classical_{kind}_{len(answered)}_{version.id}") if kind in NUMBERS_AND_LABELS else {}
        left, middle, right = st.columns(3)
        seed = left.number_input(
            "Seed", 0, 2**31 - 1, 0, key="baselines_seed", help="The same seed gives the same answers. Recommended: 0."
        )
        limit = middle.number_input("Rows for language models", 10, 100_000, 250, step=50, key="baselines_limit",
                                    help="Language models answer so many test rows, drawn by lot. Recommended: 250.")  # fmt: skip
        scale = None
        if kind == "regression":
            scale = right.selectbox("Numbers are learnt", SCALES, key="baselines_scale",
                                    help="Logarithms suit skewed prices. Recommended: as each predictor likes.")  # fmt: skip
        speak = _speaks(Plan(tuple(names)))
        asked = prompted.asked(version, names) if speak else prompted.Asked()
        picked_scale = {"as they are": "plain", "as logarithms": "log"}.get(scale or "")
        more = {name: {"scale": picked_scale} for name in names if picked_scale and name in SCALED}
        if chosen and features.PREDICTOR in names:
            more[features.PREDICTOR] = {**more.get(features.PREDICTOR, {}), **chosen}
        plan = Plan(tuple(names), int(seed), int(limit), {**more, **asked.settings}, asked)
        if speak and not asked.missing:
            prompted.preview(version, names, _request(version, plan))
    return plan


def _title(name: str) -> str:
    return (
        PREDICTORS[name].title.replace("{model} ", "").replace("+ ", "").capitalize()
        if "{" in PREDICTORS[name].title
        else PREDICTORS[name].title
    )


def _meanings(names: list[str]) -> str:
    return "\n".join(f"* {_title(name)}: {PREDICTORS[name].meaning}" for name in names)


def about(version: Version, plan: Plan) -> float:
    """About how many seconds the plan takes."""
    from core.io import embedded

    facts = cache.train_facts(version.dataset, version.id)
    return estimated(
        plan.names, int(facts["train"]), int(facts["test"]), facts["length"], model_rows=plan.limit, prepared=embedded.is_ready()
    )


def missing(version: Version, plan: Plan) -> str | None:
    """What stands in the way, in the words of the run bar."""
    if not plan.names:
        return "Choose a predictor"
    if plan.asked.missing:
        return plan.asked.missing
    if version.task == "classification" and cache.train_facts(version.dataset, version.id)["labels"] < 2:
        return "Only one class in train"
    return None


def bar(version: Version, plan: Plan, last: work.Job | None, answered: int) -> None:
    """How it stands, what it takes, and the one button."""
    rows = fmt.plural(version.splits.get("test", 0), "test row")
    if last and last.alive:
        many = fmt.plural(len(last.request.get("names", [])), "predictor")
        text = f"{many} · {rows} · estimate {fmt.duration(last.request.get('estimate'), about=True)}"
        if run_bar(
            label="Stop",
            key="baselines_stop",
            state="Working",
            badge="Running",
            text=text,
            primary=False,
            shortcut=None,
            icon=":material/stop:",
        ):
            work.cancel(last.id)
            st.rerun()
        return
    reason = missing(version, plan)
    if answered and not plan.names:
        run_bar(label="Add predictors", key="baselines_add", state="Done", badge=f"{answered} answered", text=f"{rows}{_took(last)}",
                icon=":material/add:", on_click=_open_settings)  # fmt: skip
        return
    if reason:
        run_bar(label=f"Run {fmt.plural(len(plan.names), 'baseline')}", key="baselines_run", state="Not ready", text=reason, disabled=True)
        return
    seconds = about(version, plan)
    free = _price(plan)
    leak = _leaked(version)
    text = f"{fmt.plural(len(plan.names), 'predictor')}, {rows}, {fmt.duration(seconds, about=True)}, {free}"
    state, badge = ("Warning", f"Leak: {fmt.plural(leak, 'test row')} word for word in train") if leak else ("Ready", None)
    if run_bar(label=f"Run {fmt.plural(len(plan.names), 'baseline')}", key="baselines_run", state=state, badge=badge, text=text,
               shortcut=None if _speaks(plan) else "Mod+Enter"):  # fmt: skip
        start(version, plan, seconds)


def _speaks(plan: Plan) -> bool:
    """Whether a language model is asked: what it is told is typed into fields in which Ctrl and Enter means something else."""
    return any(PREDICTORS[name].family == "prompted" for name in plan.names)


def start(version: Version, plan: Plan, seconds: float) -> None:
    """Start the job and draw the page anew."""
    with guarded():
        work.start("baselines", {**_request(version, plan), "estimate": seconds}, title=fmt.plural(len(plan.names), "baseline"),
                   dataset=version.dataset, environment=for_child(plan.asked.url, plan.asked.key))  # fmt: skip
        st.rerun()


def _request(version: Version, plan: Plan) -> dict[str, Any]:
    """What the job reads."""
    return {"dataset": version.dataset, "version": version.id, "names": list(plan.names), "settings": plan.settings, "limit": plan.limit,
            "seed": plan.seed, **plan.asked.request}  # fmt: skip


def _price(plan: Plan) -> str:
    """What the language models of the plan cost, in words."""
    if "provider" not in plan.asked.request:
        return "free"
    budget = plan.asked.request.get("budget")
    return f"at most {fmt.cost(budget)} each" if budget else "priced by that address"


def latest(version: Version) -> work.Job | None:
    """The newest baselines job of this version."""
    return next((job for job in work.all_jobs(version.dataset, "baselines") if job.request.get("version") == version.id), None)


def ended(job: work.Job | None) -> None:
    """Why the last job ended early, when it did, and the way on."""
    if job is None or job.alive or job.state == "done":
        return
    if job.error:
        jobs.show_failure(job)
    words = {"cancelled": "The last run was stopped.", "interrupted": "The last run was interrupted."}.get(job.state)
    if words:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{words} {job.step} of {job.total} predictors had answered; they are kept.", width="content")
            if st.button("Resume", key="baselines_resume", icon=":material/play_arrow:"):
                url = str((job.request.get("provider") or {}).get("base_url", ""))
                typed = st.session_state.get("key_OPENAI_API_KEY" if url == OPENAI else f"key_{url}")
                work.resume(job.id, environment=for_child(url, typed))
                st.rerun()


def unreadable(version: Version, why: str) -> None:
    """Targets that are no targets, and the way to mend them."""
    show_error(DataError(why, title="The target cannot be read"))
    if st.button("Parse it in Curate", key="baselines_parse", icon=":material/filter_alt:"):
        propose(version, "parse", version.roles.target)
        go("curate")
    run_bar(label="Run baselines", key="baselines_run", state="Not ready", text="The target cannot be read in every row", disabled=True)


def command(version: Version) -> tuple[str, str]:
    """The usual predictors on the command line and in Python."""
    usual = names_for(version.task or "chat", default=True, context=context_column(version.roles) is not None)
    names = [name for name in usual if not PREDICTORS[name].needs]
    python = (
        "from core.io import store, testing\n"
        f"version = store.version({version.dataset!r}, {version.id!r})\n"
        f"for name in {names!r}:\n    print(testing.run_predictor(name, None, version).title)"
    )
    return f"python -m core baselines {version.id} {version.id} --only {','.join(names)}", python


def _leaked(version: Version) -> int:
    return cache.leaked(version.dataset, version.id)


def _open_settings() -> None:
    st.session_state["baselines_settings"] = True


def _took(job: work.Job | None) -> str:
    if job is None or job.state != "done":
        return ""
    told = job.request.get("estimate")
    estimate = f" (estimate was {fmt.duration(told, about=True).removeprefix('about ')})" if told else ""
    return f" · {fmt.duration(job.seconds)}{estimate} · free"
