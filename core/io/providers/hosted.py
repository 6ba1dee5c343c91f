"""Chat completions over HTTP: OpenAI, and every server that speaks its protocol.

The budget is hard: a request is sent only when its worst case (its tokens, and the longest reply) still fits. Replies without
a usage report are counted here and flagged `estimated`. The key stays in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import ProviderError, SettingsError
from core.io.providers.addresses import OPENAI, clean_url, is_loopback, key_for
from core.io.providers.client import DEADLINE, Failure, failure_of, make_client
from core.io.providers.replies import Remembered, content_key
from core.io.providers.sending import Open, Run
from core.prompt import Message, as_chat
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.providers import Arrived, Progress


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
        self.deadline, self.clock, self.sleep = deadline, clock, sleep
        self._unknown: set[str] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r}, model={self.model!r})"

    def models(self) -> list[str]:
        client = make_client(self.base_url, self.secret, deadline=min(self.deadline, 20.0))
        try:
            return sorted(str(one.id) for one in client.models.list().data)
        except Exception as error:
            failure = failure_of(error, self.secret)
            raise ProviderError(failure.message, title=failure.title) from None
        finally:
            client.close()

    def complete(
        self,
        requests: Sequence[Sequence[Message]],
        *,
        max_tokens: int | Sequence[int],
        temperature: float = 0.0,
        seed: int = 0,
        prefix: str = "",
        progress: Progress | None = None,
        arrived: Arrived | None = None,
    ) -> list[Reply]:
        """See Provider. A request the budget forbids gets finish "error" and the error OVER_BUDGET."""
        if not self.model:
            raise SettingsError("No model is named. Test the address to see which models it has.", title="Choose a model")
        if self.budget is not None and self.rates is None:
            raise SettingsError(f"A budget of {self.budget} USD cannot be kept: no price is known for '{self.model}'. Give its rates in "
                                "USD per million tokens, or leave the budget out.", title="No price is known")  # fmt: skip
        limits = [max_tokens] * len(requests) if isinstance(max_tokens, int) else list(max_tokens)
        settings = {"temperature": temperature, "seed": seed}
        todo = [self._prepared(i, m, limit, prefix, settings) for i, (m, limit) in enumerate(zip(requests, limits, strict=True))]
        replies: dict[int, Reply] = {}

        def take(one: Open, reply: Reply, *, stopping: bool = False) -> None:
            replies[one.place] = reply
            if arrived:
                arrived(one.place, reply)
            if progress and not stopping:
                progress(len(replies), len(requests), f"{len(replies)} of {len(requests)} answered")

        fresh = []
        for one in todo:
            known = self.remembered.get(one.key) if self.keep else None
            if known:
                take(one, known)
            else:
                fresh.append(one)
        if fresh:
            Run(self, fresh, settings, take).go()
        return [replies[i] for i in range(len(requests))]

    @cached_property
    def remembered(self) -> Remembered:
        return Remembered()

    @cached_property
    def _count(self) -> Callable[[list[str]], list[int]]:
        from core.io.tokens import counter

        return counter()

    def _prepared(self, place: int, messages: Sequence[Message], limit: int, prefix: str, settings: dict[str, Any]) -> Open:
        asked = [dict(m) for m in as_chat(messages)]
        if prefix:
            asked[-1]["content"] += f"\n\nBegin your answer with: {prefix}"
        key = content_key(self.base_url, self.model, asked, max_tokens=limit, **settings)
        worst = self._usd(self._tokens(asked), limit) if self.budget is not None and self.rates else None
        return Open(place, asked, limit, key, worst or 0.0)

    def _tokens(self, messages: Sequence[Message]) -> int:
        return sum(self._count([m["content"] for m in messages])) + 3 * len(messages) + 3

    def _usd(self, tokens_in: int, tokens_out: int) -> float | None:
        return None if self.rates is None else (tokens_in * self.rates[0] + tokens_out * self.rates[1]) / 1e6

    def ask(self, client: Any, one: Open, settings: dict[str, Any]) -> Reply | Failure:
        """One attempt, in a thread of its own."""
        named = {"max_tokens": one.max_tokens, **settings}
        if self.base_url == OPENAI or "max_tokens" in self._unknown:
            named["max_completion_tokens"] = named.pop("max_tokens")
        start = time.perf_counter()
        try:
            sent = {name: value for name, value in named.items() if name not in self._unknown}
            answer = client.chat.completions.create(model=self.model, messages=one.messages, **sent)
            return self._read(answer, one, time.perf_counter() - start)
        except Exception as error:
            return failure_of(error, self.secret)

    def _read(self, answer: Any, one: Open, seconds: float) -> Reply:
        choice = answer.choices[0]
        refusal = getattr(choice.message, "refusal", None)
        text = choice.message.content or refusal or ""
        if not isinstance(text, str):
            raise ValueError("the content is no text")
        usage = answer.usage
        said = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
        known = [int(n) for n in said if isinstance(n, int) and n >= 0]
        tokens_in, tokens_out = known if len(known) == 2 else [self._tokens(one.messages), self._count([text])[0]]
        finish = (
            "refusal" if refusal or choice.finish_reason == "content_filter" else "length" if choice.finish_reason == "length" else "stop"
        )
        return Reply(text, tokens_in, tokens_out, seconds, finish, self._usd(tokens_in, tokens_out), len(known) < 2)

    def forget(self, parameter: str) -> bool:
        """Leave out a setting the endpoint does not know; False when that changes nothing."""
        if parameter not in ("temperature", "seed", "max_tokens", "max_completion_tokens") or parameter in self._unknown:
            return False
        self._unknown.add(parameter)
        return True


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
    """USD per million tokens in and out from the dated price table, None when the model is not in it."""
    from core.validate.prices import price_of

    price = price_of(model)
    return None if price is None else (price.input, price.output)
