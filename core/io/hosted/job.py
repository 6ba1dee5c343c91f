"""The job "hosted": a version's rows (or files) in, a fine-tuned model at a host and its evaluation on the test rows out.

    <job folder>/state.json        token, ids of the uploaded files, id of the job, then its model, trained tokens and cost
                 job.json          the platform's own object as it was last seen
                 events.jsonl      the platform's own events, each once, oldest first
                 history.jsonl     the steps as every run's history: {step, loss} and {step, val_loss}
                 checkpoints.json  results.json  answers.jsonl

Files bear the token in their names and the job bears it in its metadata, so that a run that was killed anywhere finds them again:
nothing is uploaded or paid for twice. Stopping this job only stops the watch; the host's job goes on.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Paused, ProviderError, SettingsError, Stopped
from core.finetune.hosted import Wish
from core.io import files, store
from core.io.hosted import checking, costs, rows
from core.io.hosted.calls import Object, Tuning
from core.io.hosted.following import EVERY, appeared, follow, succeeded
from core.io.hosted.watching import Watch, steps
from core.io.providers.addresses import OPENAI
from core.prompt import Prompt
from core.validate.encodings import base_of
from core.validate.prices import rates_of
from core.version import Version

if TYPE_CHECKING:
    from core.io.work import Desk

LIMIT = 250
"""Test rows answered by the model, drawn by lot."""
OUTAGES, OUTAGE = 40, 60.0
"""How often a host that cannot be reached is waited for while a job is followed, and for how many seconds: about an hour and a half."""
SLICE = 0.5
"""Seconds after which a stop is noticed while waiting."""
MEASURING = "Measuring on test rows"


def run_hosted(request: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Request: {dataset, version, wish, base_url?, files?, prompt?, limit?, budget?, ask_base?, every?}, or instead of a wish {adopt: id
    of a job at the host} or {measure: {model, job, step?}}. `files` are {train, validation?}: paths, or ids of uploaded files.

    Result: {job, model, trained_tokens, usd, evaluation, base_evaluation?}. What a host refuses is told in its words.
    """
    with Tuning(request.get("base_url", ""), environment=desk.environment, sleep=_waiting(desk)) as tuning:
        run = Run(request, desk, tuning)
        if request.get("measure"):
            return run.measured(dict(request["measure"]))
        try:
            done = run.followed(run.created())
        except Paused:
            raise
        except ProviderError as problem:
            raise run.going_on(problem) from None
        run.ended(done)
        return run.answered(done)


class Run:
    """One job's folder, and the host."""

    def __init__(self, request: Mapping[str, Any], desk: Desk, tuning: Tuning) -> None:
        self.request, self.desk, self.tuning = request, desk, tuning
        self.base_url = tuning.base_url
        path = desk.folder / "state.json"
        self.state: dict[str, Any] = files.read_json(path) if path.exists() else {}
        self.version: Version | None = store.version(request["dataset"], request["version"]) if request.get("version") else None
        self.prompt = Prompt.from_dict(request["prompt"]) if request.get("prompt") else None

    @property
    def provider(self) -> str:
        """Who answers: a name of `core.io.providers.PROVIDERS`."""
        return "openai" if self.base_url == OPENAI else "compatible"

    def keep(self, **new: Any) -> None:
        """What is known from now on, on disk before anything else happens."""
        self.state |= new
        files.write_json(self.desk.folder / "state.json", self.state)

    def created(self) -> str:
        """The id of the job at the host: made now, or known from an earlier start."""
        if self.request.get("adopt") and not self.state.get("job"):
            self.keep(job=str(self.request["adopt"]), adopted=True)
        if self.state.get("job"):
            return str(self.state["job"])
        wish = Wish.from_dict(self.request.get("wish", {}))
        if "token" not in self.state:
            self.keep(token=secrets.token_hex(8))
        ids = {part: self.uploaded(part, given) for part, given in self.checked(wish).items()}
        self.desk.say(0, 0, "Creating the job")
        job = self.tuning.create(wish.request(ids["train"], ids.get("validation"), self.state["token"]))
        self.keep(job=str(job["id"]), status=job.get("status"))
        return str(job["id"])

    def checked(self, wish: Wish) -> dict[str, Path | str]:
        """Part -> its file, looked at and found good, or the id of one that is at the host. Raises DataError or SettingsError."""
        self.desk.say(0, 0, "Checking the files")
        given: dict[str, Path | str] = {}
        for part, name in (self.request.get("files") or {}).items():
            if name:
                given[part] = str(name) if _is_id(str(name)) else Path(str(name))
        if not given and self.version:
            given = dict(rows.write(self.version, self.desk.folder, f"studio-{self.state['token']}", self.prompt))
        if "train" not in given:
            raise SettingsError("Neither a version nor a training file is named.", title="Nothing to train on")
        for part, path in given.items():
            if isinstance(path, str) or self.state.get(part):
                continue
            if not path.is_file():
                raise SettingsError(f"There is no file {path}. Name a training file, or the id of one at the host.", title="No such file")
            made = checking.looked_at(path, wish.model)
            checking.refuse(made, path.name, wish.method, validation=part == "validation")
            if part == "train":
                plan = costs.estimate(made, self.base_url, wish.model, wish.hyperparameters, self.tests())
                costs.within(plan, self.request.get("budget"))
                self.keep(estimate={"rows": plan.rows, "epochs": plan.epochs, "tokens": plan.tokens, "usd": plan.training_usd})
        return given

    def uploaded(self, part: str, given: Path | str) -> str:
        """The id of a file at the host."""
        if isinstance(given, str):
            return given
        if not self.state.get(part):
            self.desk.say(0, 0, f"Uploading the {part} file")
            name = given.name if self.state["token"] in given.name else f"studio-{self.state['token']}-{given.name}"
            self.keep(**{part: str(self.tuning.upload(given, name, once=True)["id"])})
        return str(self.state[part])

    def followed(self, id: str) -> Object:
        """The job when it has ended."""
        watch = Watch(self.desk, self.tuning)
        for left in range(OUTAGES, -1, -1):
            try:
                return follow(self.tuning, id, watch.look, since=watch.since, every=float(self.request.get("every", EVERY)))
            except Paused as problem:
                if not left or problem.reason == "no credit":
                    raise
                watch.tell(f"{problem.title}; trying again")
                self.tuning.sleep(OUTAGE)
        raise AssertionError("every look returns or raises")

    def going_on(self, problem: ProviderError) -> ProviderError:
        """The same with what goes on meanwhile."""
        if not self.state.get("job"):
            return problem
        return ProviderError(
            f"{problem} The job {self.state['job']} is not touched by this; resume to follow it again.", title=problem.title
        )

    def ended(self, job: Object) -> None:
        """Keep what a job left. Raises ModelError in the platform's words when it did not succeed."""
        files.write_json(self.desk.folder / "job.json", job)
        found: list[Object] = []
        with suppress(ProviderError):
            found = self.tuning.checkpoints(job["id"])
        files.write_json(self.desk.folder / "checkpoints.json", found)
        succeeded(job)
        with suppress(ProviderError, ValueError):
            files.write_json(self.desk.folder / "results.json", self.tuning.results(job))
            steps(self.desk, files.read_lines(self.desk.journal("events")))
        price = costs.price_at(self.base_url, str(job.get("model", "")))
        usd = costs.trained_usd(price, job.get("trained_tokens"))
        self.keep(model=job.get("fine_tuned_model"), trained_tokens=job.get("trained_tokens"), usd=usd)

    def answered(self, job: Object) -> dict[str, Any]:
        """The result, after the test rows were answered by the model, and by its base where that is wished."""
        model, usd = str(self.state.get("model") or ""), self.state.get("usd")
        told = {"job": job["id"], "model": model, "trained_tokens": self.state.get("trained_tokens"), "usd": usd}
        if not model or not self.tests():
            return {**told, "evaluation": None}
        seconds = max(0.0, float((job.get("finished_at") or 0) - (job.get("created_at") or 0)))
        told["evaluation"] = self.evaluated(model, {"job": job["id"]}, seconds, usd)
        return {**told, "base_evaluation": self.base(str(job.get("model") or ""), usd)} if self.request.get("ask_base") else told

    def measured(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Only the test: for a checkpoint, or a model that is there already."""
        model = str(asked["model"])
        if not self.tests():
            raise SettingsError("This version has no test rows to measure on. Split it on Curate.", title="Needs test rows")
        notes = {name: asked[name] for name in ("job", "step") if asked.get(name) is not None}
        return {"job": asked.get("job"), "model": model, "evaluation": self.evaluated(model, notes, 0.0, None)}

    def tests(self) -> int:
        """Test rows that are answered."""
        if self.version is None or not rows.measurable(self.version):
            return 0
        return min(int(self.request.get("limit") or LIMIT), self.version.splits["test"])

    def evaluated(self, model: str, notes: Mapping[str, Any], seconds: float, usd: float | None) -> str:
        """The id of the evaluation of a fine-tuned model's answers to the test rows (family "tuned")."""
        self.desk.say(0, self.tests(), f"Waiting until {model} can be asked", phase="test")
        appeared(self.tuning, model, every=float(self.request.get("every", EVERY)))
        return self.asked(model, MEASURING, "answers", usd, predictor="hosted", family="tuned", title=title_of(model, notes.get("step")),
                          fit_seconds=seconds, training_usd=usd, settings=dict(self.request.get("wish") or {}),
                          notes={**notes, "provider": self.provider, "model": model, "base_url": self.base_url})  # fmt: skip

    def base(self, model: str, usd: float | None) -> str | None:
        """The same for the model as it was before; None where the host no longer answers with it."""
        from core.io.asking import titled

        told = {"provider": self.provider, "model": model, "base_url": self.base_url}
        title = titled("prompted", {"provider": {"model": undated(model)}})
        try:
            return self.asked(model, "Measuring the base model", "base_answers", usd, notes=told, title=title)
        except Paused:
            raise
        except ProviderError as problem:
            self.keep(base_problem=f"{problem.title}: {problem}")
            return None

    def asked(self, model: str, words: str, journal: str, usd: float | None, **about: Any) -> str:
        """The id of the evaluation of a model's answers; the budget that training left is hard."""
        from core.io.asking import language_model
        from core.io.prompting import How, run_prompted

        version, total = self.version, self.tests()
        assert version is not None
        self.desk.say(0, total, words, phase="test")
        price = costs.price_at(self.base_url, model)
        rates = rates_of(price, tuned="family" in about) if price else None
        left = None if self.request.get("budget") is None or rates is None else max(0.0, float(self.request["budget"]) - (usd or 0.0))
        provider = {"name": self.provider, "model": model, "base_url": self.base_url}
        provider |= {"rates": (rates.input, rates.output)} if rates else {}
        complete, _ = language_model(provider, version.task or "chat", self.desk.say, self.desk.environment, left)
        made = run_prompted(
            version,
            self.prompt or rows.prompt_of(version),
            complete,
            how=How(int(self.request.get("limit") or LIMIT)),
            journal=self.desk.journal(journal),
            progress=lambda done, of, _: self.desk.say(done, of, words, phase="test"),
            **about,
        )
        return made.id


def title_of(model: str, step: int | None = None) -> str:
    """How results name a hosted fine-tune: its base, its suffix, and the step of a checkpoint."""
    parts = model.split(":") if model.startswith("ft:") else []
    suffix = parts[3] if len(parts) > 3 else ""
    return " ".join(part for part in (undated(model), suffix, f"step {step}" if step else "", "fine-tuned") if part)


def undated(model: str) -> str:
    """The base of a model without the day of its snapshot: gpt-4o-mini of gpt-4o-mini-2024-07-18."""
    return re.sub(r"-\d{4}-\d{2}-\d{2}$", "", base_of(model))


def _is_id(name: str) -> bool:
    return name.startswith("file-") and not Path(name).exists()


def _waiting(desk: Desk) -> Callable[[float], None]:
    """A wait in which a stop is noticed soon."""

    def sleep(seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            if desk.stopped():
                raise Stopped
            time.sleep(min(SLICE, left))

    return sleep
