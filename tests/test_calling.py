"""How to call a model: the snippets run exactly as they are printed, whatever stands in the question, and hold no key."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.finetune import calling
from core.finetune.calling import COMMAND, CURL, JAVASCRIPT, PYTHON, SERVER, Question
from core.io import lora
from core.io.lora.uploading import take
from core.prompt import Prompt
from tests import doubles
from tests.adapters import plain_adapter
from tests.tiny import tiny_model

HARD = "What's \"this\"?\n누가 $HOME `id` $(id) \\n ${x} {y} 100% !! <b>&amp; 🙂\ttab\u2028end -- it's"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "FINETUNE_STUDIO_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8",
               "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # fmt: skip
"""`python` is this very Python, as in an activated environment."""


def ran(command: list[str] | str, place: Path, **more: str) -> str:
    done = subprocess.run(command, cwd=place, env={**ENVIRONMENT, **more}, shell=isinstance(command, str), capture_output=True, text=True,
                          timeout=200, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """(snippets, environment) of an adapter that is served by the very command that is printed."""
    root = tmp_path_factory.mktemp("calling")
    base = tiny_model(root / "tiny")
    more = {"FINETUNE_STUDIO_HOME": str(root / "home"), "FINETUNE_STUDIO_MODEL": str(base)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in more.items():
            patch.setenv(name, value)
        made = take(plain_adapter(base, root / "good"), doubles.version("regression", 60))
        assert lora.adapter(made.id)
    prompt = Prompt(system="Say 'it'.", user="$text", prefix="It's $", max_tokens=12)
    port = free_port()
    snippets = calling.local(calling.question_of(prompt, {"text": HARD}), adapter=made.id, base_url=f"http://127.0.0.1:{port}/v1")
    log = open(root / "serve.log", "wb")  # noqa: SIM115 - closed when the server has ended
    server = subprocess.Popen(shlex.split(snippets[SERVER]), cwd=doubles.ROOT, env={**ENVIRONMENT, **more}, stdout=log, stderr=log)
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).read()
            break
        except OSError:
            assert server.poll() is None, (root / "serve.log").read_text()
            assert time.monotonic() < deadline, (root / "serve.log").read_text()
            time.sleep(0.1)
    yield snippets, more
    server.terminate()
    server.wait(30)
    log.close()


@pytest.fixture(scope="module")
def said(called) -> str:
    """What the command line answers, in a line of its own."""
    snippets, more = called
    return ran(snippets[COMMAND], doubles.ROOT, **more).removesuffix("\n")


def test_the_command_line_as_printed_asks_what_the_engine_is_asked(called, said):
    from core.io.embedded import Engine

    snippets, more = called
    adapter = shlex.split(snippets[SERVER])[shlex.split(snippets[SERVER]).index("--adapter") + 1]
    engine = Engine(Path(more["FINETUNE_STUDIO_MODEL"]))
    messages = [{"role": "system", "content": "Say 'it'."}, {"role": "user", "content": HARD}]
    folder = Path(more["FINETUNE_STUDIO_HOME"]) / "adapters" / adapter
    wanted = engine.complete([messages], adapter=folder, max_tokens=12, prefix="It's $")[0].text
    engine.close()
    assert said == wanted


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_as_printed_gets_the_same_answer(called, said, tmp_path):
    answer = json.loads(ran(called[0][CURL], tmp_path))
    assert answer["choices"][0]["message"]["content"] == said


def test_python_as_printed_gets_the_same_answer(called, said, tmp_path):
    (tmp_path / "ask.py").write_text(called[0][PYTHON], encoding="utf-8")
    assert ran(["python", "ask.py"], tmp_path).removesuffix("\n") == said


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_as_printed_gets_the_same_answer(called, said, tmp_path):
    (tmp_path / "ask.mjs").write_text(called[0][JAVASCRIPT], encoding="utf-8")
    assert ran(["node", "ask.mjs"], tmp_path).removesuffix("\n") == said


# --- what is printed

TEXTS = [HARD, "", "'", "--help", "a\r\nb", "\ud83d", "</script>", "'; rm -rf ~; '", "${process.env.X}`", "\\", '"""', "\x00\x7f"]


def body_of(curl: str) -> dict:
    words = shlex.split(curl)
    return json.loads(words[words.index("-d") + 1])


@pytest.mark.parametrize("text", TEXTS, ids=[str(i) for i in range(len(TEXTS))])
def test_every_language_reads_back_the_text_it_was_given(text):
    found = calling.hosted(Question(({"role": "user", "content": text},)), model="some/model", base_url="https://host.example/v1")
    assert body_of(found[CURL])["messages"][0]["content"] == text
    call = next(
        node
        for node in ast.walk(ast.parse(found[PYTHON]))
        if isinstance(node, ast.Call) and node.keywords and node.keywords[0].arg == "model"
    )
    assert ast.literal_eval(next(one.value for one in call.keywords if one.arg == "messages"))[0]["content"] == text
    script = re.search(r"JSON\.stringify\((.*?)\),\n\}\);", found[JAVASCRIPT], re.S)
    assert script
    assert json.loads(script.group(1))["messages"][0]["content"] == text


def test_keys_are_named_and_never_printed():
    found = calling.hosted(Question(({"role": "user", "content": "hi"},)), model="m", base_url="https://host.example/v1", key="HOST_KEY")
    assert '"Authorization: Bearer $HOST_KEY"' in found[CURL]
    assert 'os.environ["HOST_KEY"]' in found[PYTHON]
    assert "process.env.HOST_KEY" in found[JAVASCRIPT]
    with pytest.raises(SettingsError) as refused:
        calling.hosted(Question(({"role": "user", "content": "hi"},)), model="m", key="sk-secret-0123")
    assert "sk-secret" not in str(refused.value)


def test_the_usual_host_needs_no_address_and_its_own_parameter():
    found = calling.hosted(Question(({"role": "user", "content": "hi"},)), model="ft:gpt-4o-mini:me::1")
    prefixed = calling.hosted(Question(({"role": "user", "content": "hi"},), "Price is $"), model="m")
    assert body_of(prefixed[CURL])["messages"][-1]["content"] == "hi\n\nBegin your answer with: Price is $"
    assert "OpenAI()" in found[PYTHON]
    assert body_of(found[CURL])["max_completion_tokens"] == 128
    assert "--provider openai --model ft:gpt-4o-mini:me::1" in found[COMMAND]


def test_a_chat_of_several_turns_has_no_command_line_and_a_base_model_no_adapter():
    turns = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"})
    found = calling.local(Question(turns))
    assert COMMAND not in found
    assert found[SERVER] == "python -m core serve"
    assert body_of(found[CURL])["model"] == "embedded"
    assert calling.local(Question(turns[:1]), model="/models/my base")[SERVER] == "python -m core serve --model '/models/my base'"


def test_a_classical_predictor_answers_from_its_script_as_printed(home, tmp_path):
    version = doubles.version("regression", 60)
    found = calling.classical("tfidf_linear", {}, version.id, version.dataset, {"text": HARD, "kind": "lamp", "answer": float("nan")})
    guess = float(ran(["python", "-c", found[PYTHON]], doubles.ROOT, FINETUNE_STUDIO_HOME=str(home)))
    assert -100 < guess < 200
    assert found[COMMAND] == f"python -m core baselines {version.id} {version.id} --only tfidf_linear --out answers"
