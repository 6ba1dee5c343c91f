"""Large jobs through OpenAI's Batch API: everything in one upload, answered within a day, at half the price.

The first request goes alone and at once, so that a wrong key or setting costs one. Then the requests are written as JSON lines,
uploaded and started, and looked at every `poll` seconds. Where each part stands is in the job's folder before and after every call:
a run that was killed finds its upload and its batch again by name and never starts one twice. Stopping leaves a batch running;
`cancel` ends it, and what was answered by then is kept. Files are deleted at the platform once their results are here.
Source: OpenAI's published description of files and batches. Not known here: when within the day a batch is worked through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Paused, ProviderError
from core.io.providers.batch_files import OVER, Folder, Part
from core.io.providers.batch_remote import Remote
from core.io.providers.client import hide
from core.io.providers.hosted import Hosted, asked_as, each, open_settings
from core.io.providers.sending import OVER_BUDGET
from core.prompt import Message
from core.reply import Reply

if TYPE_CHECKING:
    from core.io.providers import Arrived, Progress

POLL = 30.0
"""Seconds between two looks at a batch."""
MOST, LARGEST = 50_000, 200 << 20
"""Requests and bytes of one batch."""
_SLICE = 2.0
"""Seconds after which a stop is noticed while waiting."""


class Batched:
    """A hosted model asked in batches: a Provider for one job's folder."""

    def __init__(
        self, host: Hosted, folder: Path, *, rates: tuple[float, float] | None = None, poll: float = POLL, most: int = MOST,
        largest: int = LARGEST,
    ) -> None:  # fmt: skip
        """`rates` are the batch's own, in USD per million tokens; half of the host's where nothing else is published."""
        self.host, self.name, self.model = host, host.name, host.model
        self.rates = rates or batch_rates(host)
        self.poll, self.most, self.largest = poll, most, largest
        self.folder = Folder(folder)
        self.unaffordable = 0
        """Requests that were left out of the batches because of the budget."""
        self.told: list[str] = []
        """What was done at the platform beside answering, in words: files deleted, or not."""
        self._spent = 0.0

    @property
    def spent(self) -> float:
        """USD of this object's requests so far."""
        return self.host.spent + self._spent

    @property
    def over_budget(self) -> int:
        """Requests that were not sent because of the budget."""
        return self.unaffordable + self.host.over_budget

    @property
    def unsure(self) -> float:
        """USD that may have been charged for requests that gave no reply."""
        return self.host.unsure

    def models(self) -> list[str]:
        return self.host.models()

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
        """See Provider. What the folder's batches were asked already is waited for, never asked again."""
        self.host.ready()
        limits, seeds = each(max_tokens, len(requests)), each(seed, len(requests))
        run = _Run(self, requests, limits, seeds, open_settings(temperature, 0, schema), prefix, progress, arrived)
        with Remote(self.host, self.folder) as remote:
            return run.go(remote)

    def cancel(self) -> list[str]:
        """End the batches that are under way; returns their states. What was answered by then comes with the next `complete`."""
        with Remote(self.host, self.folder) as remote:
            for part in self.folder.parts:
                if part.batch and part.state not in OVER:
                    remote.cancel(part)
        return [part.state for part in self.folder.parts if part.batch]


def batch_rates(host: Hosted) -> tuple[float, float] | None:
    """USD per million tokens in and out in a batch: the published ones, or half."""
    from core.io.pricing import asking

    price = asking(host.model) if host.name == "openai" else None
    if price is not None and host.rates == (price.input, price.output):
        return price.batch_input, price.batch_output
    return None if host.rates is None else (host.rates[0] / 2, host.rates[1] / 2)


class _Run:
    """One `complete`."""

    def __init__(
        self, batched: Batched, requests: Sequence[Sequence[Message]], limits: list[int], seeds: list[int], settings: dict[str, Any],
        prefix: str, progress: Progress | None, arrived: Arrived | None,
    ) -> None:  # fmt: skip
        self.batched, self.host, self.folder = batched, batched.host, batched.folder
        self.requests, self.limits, self.settings, self.prefix = requests, limits, settings, prefix
        self.progress, self.arrived = progress, arrived
        self.replies: dict[int, Reply] = {}
        self.places: dict[str, list[int]] = {}
        self.seeds: dict[int, int] = {}
        repeats: Counter[str] = Counter()
        for place, messages in enumerate(requests):
            key, self.seeds[place] = self.host.keyed(asked_as(messages, prefix), limits[place], {**settings, "seed": seeds[place]}, repeats)
            self.places.setdefault(key, []).append(place)
        self.failed: dict[str, str] = {}
        """Key -> what went wrong in the batch that ended last."""

    def go(self, remote: Remote) -> list[Reply]:
        if self.host.keep:
            for key in self.places:
                if known := self.host.remembered.get(key):
                    self.take(key, known)
        for part in self.folder.parts:
            if part.fetched:
                self.read(part)
        self.failed.clear()  # asked again now
        waiting = {key for part in self.folder.parts if not part.fetched for key in self.folder.keys(part)}
        rest = [key for key in self.places if key not in waiting and self.places[key][0] not in self.replies]
        if rest:
            remote.check()
            rest = self.first(rest)
            self.folder.write(self.affordable(rest), self.batched.most, self.batched.largest)
        self.work(remote)
        self.told(remote.delete())
        self.finish()
        return [self.replies[i] for i in range(len(self.requests))]

    def first(self, rest: list[str]) -> list[str]:
        """Ask one request at once, unless batches went through before; returns what is left."""
        if self.folder.parts:
            return rest
        place = self.places[rest[0]][0]
        [reply] = self.host.complete([self.requests[place]], max_tokens=self.limits[place], prefix=self.prefix, **self.drawing(place))
        self.take(rest[0], reply, kept=True)
        return rest[1:]

    def drawing(self, place: int) -> dict[str, Any]:
        """The settings of one request."""
        return {**self.settings, "seed": self.seeds[place]}

    def affordable(self, keys: list[str]) -> Iterator[tuple[str, dict[str, Any], float]]:
        """(key, body, worst USD) of the requests that the budget allows; the others are told as not asked."""
        host, rates = self.host, self.batched.rates
        left = None if host.budget is None or rates is None else host.budget - self.batched.spent - sum(
            part.worst for part in self.folder.parts if not part.fetched)  # fmt: skip
        for key in keys:
            place = self.places[key][0]
            one = host.prepared(place, asked_as(self.requests[place], self.prefix), self.limits[place], self.drawing(place), rates)
            if left is not None and one.worst > left:
                self.batched.unaffordable += 1
                self.take(key, Reply("", finish="error", error=OVER_BUDGET))
                continue
            left = None if left is None else left - one.worst
            yield key, host.body(one, self.settings), one.worst

    def work(self, remote: Remote) -> None:
        """Bring every part to its end."""
        for part in self.folder.parts:
            part.state = "uploaded" if part.state == "limited" else part.state
        while parts := [part for part in self.folder.parts if not part.fetched]:
            for part in parts:
                if part.state in ("written", "uploaded"):
                    remote.start(part)
                elif part.state != "limited" and remote.look(part):
                    self.end(part)
            self.again([part for part in parts if part.state == "limited"], parts)
            self.say(parts)
            if any(not part.fetched for part in parts):
                self.pause(parts)

    def again(self, limited: list[Part], parts: list[Part]) -> None:
        """Send what did not fit into the provider's queue once something left it. Raises Paused when nothing of ours is in it."""
        for part in limited if any(part.fetched for part in parts) else ():
            part.state = "uploaded"
        if limited and len(limited) == len(parts):
            raise Paused("The provider holds as many queued tokens as it allows; what is queued has to be answered first. Nothing is "
                         "lost; resume later.", title="Too much is queued", reason="busy")  # fmt: skip

    def end(self, part: Part) -> None:
        """Read the results of a part that is over."""
        words = {
            "failed": f"the provider refused the batch: {'; '.join(part.errors) or 'no reason was given'}",
            "expired": "the batch was not worked through within its 24 hours",
            "cancelled": "the batch was cancelled before this request was answered",
        }.get(part.state, "the batch ended without an answer to this request")
        self.failed |= dict.fromkeys(self.folder.keys(part), words)
        part.fetched = True
        self.folder.save()
        self.read(part)
        self.folder.file(part).unlink(missing_ok=True)

    def read(self, part: Part) -> None:
        """Hand over the replies of a part whose results are here."""
        for key, body, wrong in self.folder.results(part):
            if key not in self.places or self.places[key][0] in self.replies:
                continue
            if body is None:
                self.failed[key] = hide(wrong, self.host.secret)
            else:
                self.take(key, self.reply(key, body))

    def reply(self, key: str, body: dict[str, Any]) -> Reply:
        place = self.places[key][0]
        try:
            return self.host.read(body, asked_as(self.requests[place], self.prefix), None, self.batched.rates)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError):
            return Reply("", finish="error", error="the answer was not in the form of a chat completion")

    def take(self, key: str, reply: Reply, *, kept: bool = False) -> None:
        """Keep and hand over one reply, to every place that asked for it."""
        if not kept and not reply.cached and not reply.error:
            self.batched._spent += reply.usd or 0.0
            if self.host.keep:
                self.host.remembered.put(key, reply)
        for number, place in enumerate(self.places[key]):
            self.replies[place] = reply if number == 0 or reply.error else reply.again()
            if self.arrived:
                self.arrived(place, self.replies[place])

    def say(self, parts: list[Part]) -> None:
        if self.progress:
            done = sum(part.counts.get("completed", 0) + part.counts.get("failed", 0) for part in parts if not part.fetched)
            states = ", ".join(dict.fromkeys(part.state.replace("_", " ") for part in parts))
            self.progress(min(len(self.requests), len(self.replies) + done), len(self.requests), f"Batch at the provider: {states}")

    def pause(self, parts: list[Part]) -> None:
        """Wait until the next look; a stop is noticed soon, and the batch goes on without us."""
        left = self.batched.poll
        while left > 0:
            self.host.sleep(min(_SLICE, left))
            left -= _SLICE
            self.say(parts)

    def told(self, words: str) -> None:
        if words:
            self.batched.told.append(words)
            if self.progress:
                self.progress(len(self.replies), len(self.requests), words)

    def finish(self) -> None:
        """Tell what got no answer. Raises ProviderError when the platform refused everything it was given."""
        for key, places in self.places.items():
            if places[0] not in self.replies:
                self.take(key, Reply("", finish="error", error=self.failed.get(key, "the batch ended without an answer to this request")))
        refused = [part for part in self.folder.parts if part.state == "failed" and part.errors]
        if refused and not any(not reply.error for reply in self.replies.values()):
            raise ProviderError(f"The provider refused the batch: {'; '.join(refused[-1].errors)}.", title="The batch was refused")
