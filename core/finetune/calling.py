"""How to call a model: the same question as curl, Python, JavaScript and a command line, each ready to copy and run as it stands.

Texts of the data are quoted for the language they stand in: JSON for all three (a JSON text is a literal of Python and of JavaScript
too), single quotes for the shell. Keys are never in a snippet; the name of the environment variable that holds one is.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import SettingsError
from core.prompt import Message, Prompt, as_chat

SERVER, CURL, PYTHON, JAVASCRIPT, COMMAND = "Start the server", "curl", "Python", "JavaScript", "Command line"
LOCAL = "http://127.0.0.1:8700/v1"
OPENAI = "https://api.openai.com/v1"
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_PORT = re.compile(r":(\d{1,5})(?:/|$)")


@dataclass(frozen=True)
class Question:
    """What is asked: a chat, how the answer begins (local models continue it), and its longest length in tokens."""

    messages: tuple[Message, ...]
    prefix: str = ""
    max_tokens: int = 128


def question_of(prompt: Prompt, row: Mapping[str, Any]) -> Question:
    """The test prompt of a row."""
    return Question(tuple(as_chat(prompt.question(row))), prompt.prefix, prompt.max_tokens)


def local(question: Question, *, adapter: str = "", model: str = "embedded", base_url: str = LOCAL) -> dict[str, str]:
    """Language -> snippet for the embedded model, another folder or one of its adapters; first the command that serves it.

    `adapter` is its id, `model` the base model as `serve --model` takes it.
    """
    flags = _flags(model, adapter)
    found = _PORT.search(base_url.partition("//")[2])
    port = ["--port", found.group(1)] if found and found.group(1) != "8700" else []
    name = f"{_called(model)}+{_called(adapter)}" if adapter else _called(model)
    messages = [*question.messages, *([{"role": "assistant", "content": question.prefix}] if question.prefix else [])]
    asked = {"model": name, "messages": messages, "max_tokens": question.max_tokens}
    told = {SERVER: _shell(["python", "-m", "core", "serve", *flags, *port]), **_calls(asked, base_url, "")}
    line = _generate(question, flags)
    return {**told, COMMAND: line} if line else told


def hosted(question: Question, *, model: str, base_url: str = OPENAI, key: str = "OPENAI_API_KEY") -> dict[str, str]:
    """The same for a model at a host of the protocol, fine-tuned there or not. `key` names the environment variable, "" for none.

    Raises SettingsError for a name that no environment variable can have: a key typed there by mistake is never printed.
    """
    if key and not _KEY.fullmatch(key):
        raise SettingsError("The name of the key's environment variable can have letters, digits and _ only, as in OPENAI_API_KEY.",
                            title="Not a variable's name")  # fmt: skip
    most = "max_completion_tokens" if base_url.rstrip("/") == OPENAI else "max_tokens"
    asked = {"model": model, "messages": _told(question), most: question.max_tokens}
    own = [] if base_url.rstrip("/") == OPENAI else ["--base-url", base_url]
    rows = ["python", "-m", "core", "predict", "rows.csv", "--provider", "compatible" if own else "openai", "--model", model, *own,
            "--text", "text", "--out", "answers.csv"]  # fmt: skip
    return {**_calls(asked, base_url, key), COMMAND: "# every row of rows.csv, whose column text is asked\n" + _shell(rows)}


def _told(question: Question) -> list[Message]:
    """The chat with its prefix in words: a host does not continue an answer."""
    *before, last = question.messages
    return [*before, {**last, "content": f"{last['content']}\n\nBegin your answer with: {question.prefix}"} if question.prefix else last]


def classical(predictor: str, settings: Mapping[str, Any], version: str, dataset: str, row: Mapping[str, Any]) -> dict[str, str]:
    """The same for a classical predictor, which learns in seconds: a Python script and a command line. `row` is a row to ask."""
    script = [
        "import pandas as pd",
        "",
        "from core.io import store, testing",
        "from core.predict.registry import make",
        "from core.prediction import asked",
        "",
        f"version = store.version({dataset!r}, {version!r})",
        "train = testing.train_rows(version)",
        f"model = make({predictor!r}, {dict(settings)!r}, seed=0).fit(train)",
        f"rows = pd.DataFrame([{_plain(row)!r}])",
        "print(model.predict(asked(rows, version.roles, version.task))[0].value)",
    ]
    line = ["python", "-m", "core", "baselines", version, version, "--only", predictor, "--out", "answers"]
    return {PYTHON: "\n".join(script), COMMAND: _shell(line)}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Python writes them: numbers, texts, nothing for what is missing."""
    kept = {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
    return {name: None if value is None or value != value else value if isinstance(value, (int, float, bool)) else str(value)
            for name, value in kept.items()}  # fmt: skip


def _calls(asked: Mapping[str, Any], base_url: str, key: str) -> dict[str, str]:
    address = base_url.rstrip("/")
    return {CURL: _curl(asked, address, key), PYTHON: _python(asked, address, key), JAVASCRIPT: _javascript(asked, address, key)}


def _curl(asked: Mapping[str, Any], address: str, key: str) -> str:
    head = f' \\\n  -H "Authorization: Bearer ${key}"' if key else ""
    url = shlex.quote(f"{address}/chat/completions")
    return f"curl -s {url} \\\n  -H 'Content-Type: application/json'{head} \\\n  -d {shlex.quote(_json(asked, 2))}"


def _python(asked: Mapping[str, Any], address: str, key: str) -> str:
    own = [] if address == OPENAI else [f"base_url={_json(address)}"]
    given = [*own, *([f'api_key=os.environ["{key}"]'] if key and (own or key != "OPENAI_API_KEY") else [])]
    given += [] if key else ['api_key="none"']
    lines = [*(["import os", ""] if "os.environ" in str(given) else []), "from openai import OpenAI", "",
             f"client = OpenAI({', '.join(given)})", "answer = client.chat.completions.create("]  # fmt: skip
    lines += [f"    {name}={_inset(_json(value, 4))}," for name, value in asked.items()]
    return "\n".join([*lines, ")", "print(answer.choices[0].message.content)"])


def _javascript(asked: Mapping[str, Any], address: str, key: str) -> str:
    head = ", Authorization: `Bearer ${process.env." + key + "}`" if key else ""
    return "\n".join([
        "// save as ask.mjs, then: node ask.mjs",
        f"const reply = await fetch({_json(address + '/chat/completions')}, {{",
        '  method: "POST",',
        f'  headers: {{ "Content-Type": "application/json"{head} }},',
        f"  body: JSON.stringify({_inset(_json(asked, 2), 2)}),",
        "});",
        "const answer = await reply.json();",
        "if (!reply.ok) throw new Error(answer.error.message);",
        "console.log(answer.choices[0].message.content);",
    ])  # fmt: skip


def _generate(question: Question, flags: Sequence[str]) -> str:
    """One question on the command line; "" for a chat of several turns."""
    roles = [one["role"] for one in question.messages]
    if roles not in (["user"], ["system", "user"]):
        return ""
    system = [f"--system={question.messages[0]['content']}"] if len(roles) == 2 else []
    prefix = [f"--prefix={question.prefix}"] if question.prefix else []
    words = ["python", "-m", "core", "generate", *flags, "--max-tokens", str(question.max_tokens), *system, *prefix]
    return _shell([*words, "--", question.messages[-1]["content"]])


def _flags(model: str, adapter: str) -> list[str]:
    return [*([] if model == "embedded" else ["--model", model]), *(["--adapter", adapter] if adapter else [])]


def _called(name: str) -> str:
    """What `serve` calls a model: a folder by its last part."""
    return name.rstrip("/").rsplit("/", 1)[-1] if name.startswith(("/", "~", ".")) else name


def _shell(words: Sequence[str]) -> str:
    return shlex.join(words)


def _json(value: Any, indent: int | None = None) -> str:
    """JSON in its own letters; escaped where a text holds half a character, which no file can."""
    told = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        told.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return told.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x7f", "\\u007f")


def _inset(text: str, by: int = 4) -> str:
    return text.replace("\n", "\n" + " " * by)
