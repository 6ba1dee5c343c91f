"""Chat completions over HTTP: OpenAI, and every server that speaks its protocol.

The budget is hard: a request is sent only when its worst case (its tokens, and the longest reply) still fits. Replies without
a usage report are counted here and flagged `estimated`. The key stays in memory.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError, SettingsError
from core.io.providers import endpoints
from core.io.providers.addresses import OPENAI, clean_url, is_loopback, key_for
from core.io.providers.client import DEADLINE, Failure, failure_of
from core.io.providers.limits import Room, room_of
from core.io.providers.listing import list_models
from core.io.providers.replies import Remembered, content_key
from core.io.providers.sending import Open, Outcome, Run
from core.prompt import Message, as_chat
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.providers import Arrived, Progress


LEFT_OUT = ("temperature", "seed", "max_tokens", "max_completion_tokens", "response_format")
"""Fields that are left out when the endpoint refuses them."""


class Hosted:
    """One model behind one address."""

    name = "compatible"

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        key: str | None = None,
        environment: Mapping[str, str] | None = None,
        budget: float | None = None,
        parallel: int = 8,
        rates: tuple[float, float] | None = None,
        keep: bool = True,
        deadline: float = DEADLINE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises SettingsError for an impossible address. `budget` is in USD and needs `rates` (USD per million tokens)."""
        self.base_url = clean_url(base_url)
        self.model = model.strip()
        self.secret, self.key_from = key_for(self.base_url, key, environment)
        self.budget, self.parallel, self.keep = budget, max(1, min(64, parallel)), keep
        self.rates = (float(rates[0]), float(rates[1])) if rates else None
        self.spent = 0.0
        """USD of this object's requests so far."""
        self.over_budget = 0
        """Requests that were not sent because of the budget."""
        self.unsure = 0.0
        """USD that may have been charged for requests that gave no reply: they count against the budget."""
        self.deadline, self.clock, self.sleep = deadline, clock, sleep
        self._unknown: set[str] = set()
        """Settings that are left out because the endpoint refused them."""
        self._written: set[str] = set()
        """Those of them that the workspace knows about."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r}, model={self.model!r})"

    def models(self) -> list[str]:
        return list_models(self.base_url, self.secret, deadline=min(self.deadline, 20.0))

    def complete(
        self,
        requests: Sequence[Sequence[Message]],
        *,
        max_tokens: int | Sequence[int],
        temperature: float = 0.0,
        seed: int | Sequence[int] = 0,
        prefix: str = "",
        schema: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        arrived: Arrived | None = None,
    ) -> list[Reply]:
        """See Provider. Equal requests of one seed draw apart; at temperature 0 one is asked for all where replies are remembered. A
        request that the budget forbids gets finish "error" and the error OVER_BUDGET."""
        self.ready()
        limits, seeds = each(max_tokens, len(requests)), each(seed, len(requests))
        settings = open_settings(temperature, 0, schema)
        replies: dict[int, Reply] = {}
        alike: dict[str, list[int]] = {}
        """Key of a request -> the places that ask for the same, the first of which is sent."""

        def took(place: int, reply: Reply, *, stopping: bool = False) -> None:
            replies[place] = reply
            if arrived:
                arrived(place, reply)
            if progress and not stopping:
                progress(len(replies), len(requests), f"{len(replies)} of {len(requests)} answered")

        def take(one: Open, reply: Reply, *, stopping: bool = False) -> None:
            took(one.place, reply, stopping=stopping)
            for place in alike.get(one.key, ())[1:] if self.keep else ():
                took(place, reply if reply.error else reply.again(), stopping=stopping)

        fresh: list[tuple[int, int]] = []
        """Places that are sent, with the seed of each."""
        repeats: Counter[str] = Counter()
        for place, messages in enumerate(requests):
            key, own = self.keyed(asked_as(messages, prefix), limits[place], {**settings, "seed": seeds[place]}, repeats)
            known = self.remembered.get(key) if self.keep else None
            if known:
                took(place, known)
                continue
            if temperature or not self.keep or key not in alike:
                fresh.append((place, own))
            alike.setdefault(key, []).append(place)
        todo = (self.prepared(i, asked_as(requests[i], prefix), limits[i], {**settings, "seed": own}) for i, own in fresh)
        if fresh:
            Run(self, todo, len(fresh), settings, take).go()
        return [replies[i] for i in range(len(requests))]

    def ready(self) -> None:
        """Raises SettingsError when requests cannot be sent as things are set."""
        if not self.model:
            raise SettingsError("No model is named. Test the address to see which models it has.", title="Choose a model")
        if self.budget is not None and self.rates is None:
            raise SettingsError(f"A budget of {self.budget} USD cannot be kept: no price is known for '{self.model}'. Give its rates in "
                                "USD per million tokens, or leave the budget out.", title="No price is known")  # fmt: skip
        if self.keep:
            self._written = endpoints.without(self.base_url, self.model)
            self._unknown |= self._written

    @cached_property
    def remembered(self) -> Remembered:
        return Remembered()

    @cached_property
    def _count(self) -> Callable[[list[str]], list[int]]:
        from core.io.tokens import counter

        return counter()

    def keyed(self, asked: list[Message], limit: int, settings: dict[str, Any], repeats: Counter[str]) -> tuple[str, int]:
        """(key, seed) of the next request: one that is equal to others before it draws with a seed of its own, unless nothing is drawn."""
        key, seed = self.key_of(asked, limit, settings), int(settings["seed"])
        repeats[key] += 1
        if repeats[key] == 1 or not settings["temperature"]:
            return key, seed
        seed += repeats[key] - 1
        key = self.key_of(asked, limit, {**settings, "seed": seed})
        repeats[key] += 1
        return key, seed

    def key_of(self, asked: list[Message], limit: int, settings: dict[str, Any]) -> str:
        return content_key(self.base_url, self.model, asked, max_tokens=limit, **settings)

    def prepared(
        self, place: int, asked: list[Message], limit: int, settings: dict[str, Any], rates: tuple[float, float] | None = None
    ) -> Open:
        """A request ready to go, with the USD and the tokens it can take at most; `rates` where they are not the usual ones."""
        worst = self._usd(self._tokens(asked), limit, rates) if self.budget is not None and self.rates else None
        rough = sum(len(m["content"]) for m in asked) // 4 + limit
        return Open(place, asked, limit, self.key_of(asked, limit, settings), worst or 0.0, rough, int(settings["seed"]))

    def _tokens(self, messages: Sequence[Message]) -> int:
        return sum(self._count([m["content"] for m in messages])) + 3 * len(messages) + 3

    def _usd(self, tokens_in: int, tokens_out: int, rates: tuple[float, float] | None = None) -> float | None:
        rates = rates or self.rates
        return None if rates is None else (tokens_in * rates[0] + tokens_out * rates[1]) / 1e6

    def body(self, one: Open, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a chat completion as this endpoint takes it."""
        named: dict[str, Any] = {"max_tokens": one.max_tokens, **settings, "seed": one.seed}
        schema = named.pop("schema", None)
        if schema:
            named["response_format"] = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
        if self.base_url == OPENAI or "max_tokens" in self._unknown:
            named["max_completion_tokens"] = named.pop("max_tokens")
        return {"model": self.model, "messages": one.messages, **{k: v for k, v in named.items() if k not in self._unknown}}

    def ask(self, client: Any, one: Open, settings: Mapping[str, Any]) -> Outcome:
        """One attempt, in a worker's thread. The client sends the body as it is and hands the response over as it came: walking through
        both by their types, as its typed methods do, takes a third of a request's time."""
        import httpx2

        start, room = time.perf_counter(), Room()
        try:
            raw = client.post("/chat/completions", body=self.body(one, settings), cast_to=httpx2.Response)
            room = room_of(raw.headers)
            return self.read(json.loads(raw.content), one.messages, time.perf_counter() - start), room
        except Exception as error:
            failure = failure_of(error, self.secret, self.deadline)
            return failure, failure.room if failure.room.known else room

    def read(
        self, answer: Mapping[str, Any], messages: list[Message], seconds: float | None, rates: tuple[float, float] | None = None
    ) -> Reply:
        """The reply in a chat completion's JSON; `rates` where they are not the usual ones. Raises ValueError and its kin for anything
        else."""
        choice = answer["choices"][0]
        message, usage = choice["message"], answer.get("usage") or {}
        refusal, ended = message.get("refusal"), choice.get("finish_reason")
        text = message.get("content") or refusal or ""
        if not isinstance(text, str):
            raise ValueError("the content is no text")
        if self.secret and self.secret in text:
            text = text.replace(self.secret, "[key]")
        tokens_in, tokens_out = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
        told_in = isinstance(tokens_in, int) and tokens_in > 0
        told_out = isinstance(tokens_out, int) and (tokens_out > 0 or not text)
        tokens_in = int(tokens_in or 0) if told_in else self._tokens(messages)
        tokens_out = int(tokens_out or 0) if told_out else self._count([text])[0]
        finish = "refusal" if refusal or ended == "content_filter" else "length" if ended == "length" else "stop"
        return Reply(text, tokens_in, tokens_out, seconds, finish, self._usd(tokens_in, tokens_out, rates), not (told_in and told_out))

    def adapts(self, failure: Failure, settings: Mapping[str, Any], *, proven: bool) -> bool:
        """Leave out a setting the endpoint does not know; False when that changes nothing.

        A schema is left out as well when the very first request was refused for a reason that names nothing: many servers do not say
        which field they mind. A refusal that stays without it is then told.
        """
        if failure.kind != "request" or failure.own:
            return False
        name = failure.parameter
        if "schema" in settings and not proven and name not in LEFT_OUT:
            name = "response_format"
        if name not in LEFT_OUT or name in self._unknown:
            return False
        self._unknown.add(name)
        return True

    def proves(self) -> None:
        """A reply came: what was left out for it is remembered for this endpoint."""
        if self.keep and self._unknown - self._written:
            self._written = set(self._unknown)
            endpoints.remember(self.base_url, self.model, self._unknown)


def each(value: int | Sequence[int], count: int) -> list[int]:
    """One value per request."""
    return [value] * count if isinstance(value, int) else list(value)


def asked_as(messages: Sequence[Message], prefix: str) -> list[Message]:
    """The messages as they are sent."""
    asked = [dict(m) for m in as_chat(messages)]
    if prefix:
        asked[-1]["content"] += f"\n\nBegin your answer with: {prefix}"
    return asked


def open_settings(temperature: float, seed: int, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is asked of every request beside its messages and its length."""
    return {"temperature": temperature, "seed": seed} | ({"schema": dict(schema)} if schema else {})


class OpenAIHosted(Hosted):
    """OpenAI itself. Raises ProviderError when there is no key."""

    name = "openai"

    def __init__(
        self, *, model: str = "gpt-4o-mini", rates: tuple[float, float] | None = None, base_url: str | None = None, **settings: Any
    ) -> None:
        super().__init__(base_url=OPENAI, model=model, rates=rates or published_rates(model), **settings)
        if not self.secret:
            raise ProviderError("OpenAI has no key. Set OPENAI_API_KEY, or give a key for this session.", title="OpenAI has no key")


class Compatible(Hosted):
    """Any other address. Free when it is this very machine; else `rates` are needed for costs and budgets."""

    def __init__(self, *, base_url: str = "", model: str = "", rates: tuple[float, float] | None = None, **settings: Any) -> None:
        if not base_url.strip():
            raise SettingsError("No address is given. One looks like http://localhost:11434/v1.", title="The address is missing")
        free = (0.0, 0.0) if is_loopback(clean_url(base_url)) else None
        super().__init__(base_url=base_url, model=model, rates=rates or free, **settings)


def published_rates(model: str) -> tuple[float, float] | None:
    """USD per million tokens in and out from the dated price table as people corrected it, None when the model is not in it."""
    from core.io.pricing import asking

    price = asking(model)
    return None if price is None else (price.input, price.output)
