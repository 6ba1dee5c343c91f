"""One base model, one thread, one queue: everybody who wants an answer from the local model hands a batch to that thread.

Adapter state is global on a model, so two threads without this would both answer wrongly. Long work is handed over one
batch at a time, so a question asked meanwhile waits for one batch and not for the whole evaluation. Several answers to
one question are one mixed batch. A request stops within one token when its event is set, and when its asker goes away.
"""

from __future__ import annotations

import atexit
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from core.errors import ModelError, Stopped
from core.io.embedded import generate, scoring
from core.io.embedded.adapters import Adapters, check_adapter
from core.io.embedded.generate import Answer, Limits
from core.io.embedded.loading import load_base, threads
from core.io.embedded.weights import clean_config, ensure_converted, is_ready, model_dir, tokenizer
from core.prompt import Message
from core.reply import Reply

Adapter = str | Path | None
Progress = Callable[[int, int, str], None]


class Engine:
    """Answers chats with one base model and any adapters of it. Nothing is loaded before the first request."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._work: queue.Queue[_Batch | None] = queue.Queue()
        self._thread: Thread | None = None
        self._starting = Lock()
        self._adapters: Adapters | None = None
        self._tokenizer: Any = None

    def complete(
        self,
        requests: Sequence[Sequence[Message]],
        *,
        adapter: Adapter | Sequence[Adapter] = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        prefix: str = "",
        progress: Progress | None = None,
        stop: Event | None = None,
        stop_at_newline: bool = False,
    ) -> list[Reply]:
        """One reply per chat, in order; `adapter` is one for all or one per chat (None: the base model).

        Only new text is returned; with `prefix` the model continues a turn that begins so. A chat too long for the model
        gets finish "error" with the reason. Raises Stopped when `stop` was set, and whatever `progress` raises.
        """
        words = self._words()
        adapters = _adapters(adapter, len(requests))
        limits = Limits(max_tokens, temperature, seed, stop_at_newline)
        ids = generate.encode(words, [generate.render(words, messages, prefix) for messages in requests])
        replies: list[Reply | None] = [self._too_long(prompt, max_tokens) for prompt in ids]
        open_ones = [i for i, reply in enumerate(replies) if reply is None]
        done = len(requests) - len(open_ones)
        stop = stop or Event()
        for group in generate.batches([len(ids[i]) for i in open_ones], max_tokens):
            places = [open_ones[i] for i in group]
            batch = _Batch([ids[i] for i in places], [adapters[i] for i in places], limits, stop)
            start = time.perf_counter()
            for place, reply in zip(places, self._ask(batch, start), strict=True):
                replies[place] = reply
            done += len(places)
            if stop.is_set():
                raise Stopped
            if progress:
                progress(done, len(requests), f"{done} of {len(requests)} answered")
        return [reply for reply in replies if reply is not None]

    def stream(
        self,
        requests: Sequence[Sequence[Message]],
        *,
        adapter: Adapter | Sequence[Adapter] = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        prefix: str = "",
        stop: Event | None = None,
        stop_at_newline: bool = False,
    ) -> Iterator[list[Reply]]:
        """The replies so far, one per chat, as they grow in one mixed batch; finish is "running" until the last item.

        Leaving the loop early stops the generation. At most ROWS_AT_ONCE chats.
        """
        words = self._words()
        ids = generate.encode(words, [generate.render(words, messages, prefix) for messages in requests])
        if any(self._too_long(prompt, max_tokens) for prompt in ids) or len(ids) > generate.ROWS_AT_ONCE:
            yield self.complete(requests[: generate.ROWS_AT_ONCE], adapter=adapter, max_tokens=max_tokens, prefix=prefix)
            return
        batch = _Batch(ids, _adapters(adapter, len(ids)), Limits(max_tokens, temperature, seed, stop_at_newline), stop or Event())
        batch.news = queue.SimpleQueue()
        start = time.perf_counter()
        self._submit(batch)
        try:
            while (new := batch.news.get()) is not None:
                seconds = time.perf_counter() - start
                yield [Reply(words.decode(row, skip_special_tokens=True), len(prompt), len(row), seconds, "running")
                       for prompt, row in zip(ids, new, strict=True)]  # fmt: skip
            yield batch.replies(start, shared=False)
        finally:
            batch.stop.set()

    def log_probabilities(
        self,
        texts: Sequence[str | Sequence[str]],
        *,
        adapter: Adapter = None,
        before: Sequence[Sequence[Message]] | None = None,
        prefix: str = "",
        end: bool = False,
        progress: Progress | None = None,
        stop: Event | None = None,
    ) -> list[list[float]]:
        """ln p of every token of each text, in order: alone, or as the reply to the chats `before` (with `prefix`, as `complete` takes).

        A list of pieces is one text whose pieces are turned into tokens by themselves. `end` counts the token that ends a turn too. A
        text alone has no number for its first token, which nothing predicts. Of what
        stands before, the start is cut where all is too long for the model. Raises Stopped, and whatever `progress` raises.
        """
        words = self._words()
        chats = [generate.render(words, messages, prefix) for messages in before] if before is not None else [""] * len(texts)
        contexts, longest = generate.encode(words, chats), int(getattr(self._config(), "max_position_embeddings", 0) or 1 << 30)
        ids = [[*row, *([words.eos_token_id] if end else [])][:longest] for row in scoring.pieced(words, texts)]
        contexts = [context[max(0, len(context) + len(row) - longest) :] for context, row in zip(contexts, ids, strict=True)]
        sizes, stop, found = [(len(c), len(t)) for c, t in zip(contexts, ids, strict=True)], stop or Event(), {}
        paths, limits = _adapters(adapter, len(ids)), Limits(0)
        for places in scoring.batches(sizes, generate.TOKENS_AT_ONCE, generate.ROWS_AT_ONCE):
            batch = _Batch([contexts[i] for i in places], [paths[i] for i in places], limits, stop, [ids[i] for i in places])
            self._wait(batch)
            found |= dict(zip(places, batch.scored(), strict=True))
            if progress:
                progress(len(found), len(ids), f"{len(found)} of {len(ids)} texts read")
        return [found[i] for i in range(len(ids))]

    def close(self) -> None:
        """Ends the thread after the batch in hand and lets go of the model."""
        with self._starting:
            if self._thread and self._thread.is_alive():
                self._work.put(None)
                self._thread.join(timeout=30)
            self._thread, self._adapters = None, None

    def _words(self) -> Any:
        if self._tokenizer is None:
            if self.folder is None:
                self.folder = ensure_converted()
            elif not is_ready(self.folder):
                raise ModelError(f"There is no model in {self.folder}.", title="No such model")
            self._tokenizer = tokenizer(self.folder)
        return self._tokenizer

    def _too_long(self, prompt: Sequence[int], max_tokens: int) -> Reply | None:
        longest = int(getattr(self._config(), "max_position_embeddings", 0) or 1 << 30)
        if len(prompt) + max_tokens <= longest:
            return None
        reason = f"the prompt has {len(prompt):,} tokens and the answer up to {max_tokens:,}; this model reads {longest:,}"
        return Reply("", len(prompt), 0, 0.0, "error", error=reason)

    def _config(self) -> Any:
        if not hasattr(self, "_cached_config"):
            self._cached_config = clean_config(self.folder or ensure_converted())
        return self._cached_config

    def _ask(self, batch: _Batch, start: float) -> list[Reply]:
        self._wait(batch)
        return batch.replies(start)

    def _wait(self, batch: _Batch) -> None:
        self._submit(batch)
        try:
            batch.finished.wait()
        except BaseException:  # the asker is gone (a page was left, a command interrupted): free the thread
            batch.stop.set()
            raise

    def _submit(self, batch: _Batch) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._serve, name="local model", daemon=True)
                self._thread.start()
        self._work.put(batch)

    def _serve(self) -> None:
        while (batch := self._work.get()) is not None:
            try:
                if not batch.stop.is_set():
                    batch.answers = self._answer(batch)
            except BaseException as error:
                batch.error = error
            finally:
                batch.finished.set()
                if batch.news:
                    batch.news.put(None)

    def _answer(self, batch: _Batch) -> list[Any]:
        import torch

        if self._adapters is None:
            self._adapters = Adapters(load_base(self.folder or ensure_converted()))
        torch.set_num_threads(threads())
        held = self._adapters
        names: list[str] = []
        for path in batch.adapters:
            names.append("__base__" if path is None else held.name(Path(path), set(names)))
        if set(names) == {"__base__"}:
            if not hasattr(held.model, "disable_adapter"):
                return self._passed(held.model, batch)
            with held.model.disable_adapter():
                return self._passed(held.model, batch)
        if len(set(names)) == 1:
            held.model.set_adapter(names[0])
            return self._passed(held.model, batch)
        return self._passed(held.model, batch, adapter_names=names)

    def _passed(self, model: Any, batch: _Batch, **extra: Any) -> list[Any]:
        """Replies, or the log probabilities of given texts, of the model with its adapters set."""
        if batch.texts is not None:
            return scoring.log_probabilities(model, self._tokenizer.pad_token_id, batch.prompts, batch.texts, **extra)
        run = {"stops": [batch.stop] * len(batch.prompts), "watch": batch.news.put if batch.news else None}
        return generate.answer_batch(model, self._tokenizer, batch.prompts, batch.limits, **run, **extra)


class _Batch:
    """Requests that are answered together, or texts that are scored together, and where the answers are put."""

    def __init__(
        self, prompts: list[list[int]], adapters: list[Adapter], limits: Limits, stop: Event, texts: list[list[int]] | None = None
    ) -> None:
        self.prompts, self.adapters, self.limits, self.stop, self.texts = prompts, adapters, limits, stop, texts
        self.finished = Event()
        self.answers: list[Any] = []
        self.error: BaseException | None = None
        self.news: queue.SimpleQueue[list[list[int]] | None] | None = None

    def replies(self, start: float, *, shared: bool = True) -> list[Reply]:
        """Raises what the thread raised, or Stopped when nothing was answered."""
        answers: list[Answer] = self.scored()
        seconds = (time.perf_counter() - start) / (len(self.prompts) if shared else 1)
        return [Reply(answer.text, len(prompt), answer.tokens_out, seconds, answer.finish)
                for prompt, answer in zip(self.prompts, answers, strict=True)]  # fmt: skip

    def scored(self) -> list[Any]:
        """What came of each request. Raises as `replies` does."""
        if self.error is not None:
            raise self.error
        if not self.answers:
            raise Stopped
        return self.answers


def _adapters(adapter: Adapter | Sequence[Adapter], n: int) -> list[Adapter]:
    each = [adapter] * n if adapter is None or isinstance(adapter, (str, Path)) else list(adapter)
    if len(each) != n:
        raise ValueError(f"{len(each)} adapters for {n} requests")
    for path in {str(one) for one in each if one is not None}:
        check_adapter(path)
    return each


_ENGINES: dict[str, Engine] = {}
_GETTING = Lock()


def engine(folder: str | Path | None = None) -> Engine:
    """The process's one engine for this model folder (None: the embedded model)."""
    key = str(Path(folder) if folder else model_dir())
    with _GETTING:
        if key not in _ENGINES:
            _ENGINES[key] = Engine(Path(folder) if folder else None)
            atexit.register(_ENGINES[key].close)
        return _ENGINES[key]
