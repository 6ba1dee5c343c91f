"""Check: whether a run fits, how long it takes, what is learnt, what is cut and what is missing, before it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from core import format as fmt
from core.finetune.checks import Check, checks
from core.finetune.estimates import SLOWER, Estimate, estimate
from core.finetune.settings import TrainSettings
from core.io import device, embedded, jobs, lora
from core.io.embedded.loading import resolved
from core.version import Version
from ui import cache
from ui.jobs import latest, watch
from ui.layout import card
from ui.state import link, plain

ICONS = {"PASS": ":green[:material/check_circle:]", "WARN": ":yellow[:material/error:]", "FAIL": ":red[:material/cancel:]"}
PACKAGES = {"4-bit": "bitsandbytes", "8-bit": "bitsandbytes", "wandb": "wandb", "tensorboard": "tensorboardX"}
"""What a choice needs -> the package."""


def plan_of(prepared: lora.Prepared, settings: TrainSettings, base: Path) -> Estimate:
    """Steps, time and memory of the run as it is chosen."""
    known = embedded.facts(base)
    asked = lora.sample(prepared.validation.rows, settings.validation_rows, settings.seed) if prepared.validation else ()
    return estimate(len(prepared.train.rows), prepared.train.tokens, prepared.train.longest, known.parameters, known.config, settings,
                    precision=resolved(settings.precision), rate=embedded.remembered_rate(base),
                    validation_tokens=sum(map(len, asked)))  # fmt: skip


def show(version: Version, prepared: lora.Prepared, settings: TrainSettings, plan: Estimate, base: Path, into: Any,
         more: Sequence[Check] = ()) -> list[Check]:  # fmt: skip
    """The card, with `more` lines; all of them are returned, for the run bar."""
    found = checks(prepared.train, prepared.validation, plan.memory, device.room(), settings.max_tokens,
                   cache.leaked(version.dataset, version.id), version.splits.get("test", 0))  # fmt: skip
    found[1:1] = [_time(plan, base), _learnt(prepared, settings)]
    found += [*more, *missing(settings)]
    with card("Check", control=_measure(prepared, settings) if base == embedded.model_dir() else None, into=into):
        for line in found:
            check_line(line)
        job = latest("probe")
        if job and (job.alive or job.error):
            watch(job.id, "finetune_probe_job")
    return found


def check_line(line: Check) -> None:
    """One sentence of the card with its sign and its note; what can be mended elsewhere leads there."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if line.page and line.state != "PASS":
            with st.container(horizontal=True, width="content", vertical_alignment="center", gap="xxsmall"):
                st.markdown(ICONS[line.state], width="content")
                link(line.page, plain(line.sentence))
        else:
            st.markdown(f"{ICONS[line.state]} {plain(line.sentence)}", width="content")
        if line.note:
            st.caption(plain(line.note), width="content")


def _time(plan: Estimate, base: Path) -> Check:
    rate = embedded.remembered_rate(base)
    told = f"{fmt.plural(plan.steps, 'step')}, {fmt.count(rate)} tokens a second" if rate else "a guess until measured"
    return Check("PASS" if rate else "WARN", f"Takes {fmt.duration(plan.seconds, about=True)}", told)


def _learnt(prepared: lora.Prepared, settings: TrainSettings) -> Check:
    if settings.answers_only:
        return Check("PASS", "Learns the answers", f"{fmt.tokens(prepared.train.learnt)} of {fmt.tokens(prepared.train.tokens)} tokens")
    return Check("PASS", "Learns questions and answers", f"{fmt.tokens(prepared.train.tokens)} tokens")


def missing(settings: TrainSettings) -> list[Check]:
    """What the chosen settings need and this machine has not."""
    found = []
    for wish in (settings.quantization, settings.report_to):
        package = PACKAGES.get(wish)
        if package and find_spec(package) is None:
            found.append(Check("FAIL", f"{package} is not installed", f"pip install {package}"))
    if settings.quantization != "none" and not device.cuda():
        slower = f"{SLOWER[settings.quantization]:g} times the time"
        found.append(Check("WARN", f"{settings.quantization} is slow on a processor", slower))
    return found


def _measure(prepared: lora.Prepared, settings: TrainSettings) -> Callable[[], None]:
    """The button that measures a few real steps with rows as long as these."""
    rows = prepared.train.rows
    length = max(16, min(settings.max_tokens, prepared.train.tokens // max(1, len(rows))))
    busy = latest("probe")

    def draw() -> None:
        st.button("Measure this machine", key="finetune_probe", icon=":material/speed:", type="tertiary",
                  disabled=bool(busy and busy.alive), on_click=_probe, args=(length,),
                  help="Runs four training steps with rows as long as these, about half a minute on an idle machine, and remembers "
                       "how fast they were. A finished run is remembered too.")  # fmt: skip

    return draw


def _probe(length: int) -> None:
    jobs.start("probe", {"length": length}, title="Measuring this machine")
