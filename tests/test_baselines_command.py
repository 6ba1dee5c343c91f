"""`baselines` and `predict` on the command line: the keys COMMANDS promises, and words for what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.__main__ import main
from core.io import embedded
from core.io.providers.addresses import for_child
from core.reply import Reply
from tests.doubles import frame, version
from tests.loopback import KEY, Loopback


@pytest.fixture
def tables(home: Path, tmp_path: Path) -> tuple[str, str]:
    table = frame("regression")
    names = []
    for part in ("train", "test"):
        path = tmp_path / f"{part}.csv"
        table[table["split"] == part].drop(columns="split").to_csv(path, index=False)
        names.append(str(path))
    return names[0], names[1]


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_baselines_prints_the_promised_keys_and_keeps_predictions(tables: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    result = told(capsys, "baselines", *tables, "--text", "text", "--target", "answer", "--task", "regression", "--only",
                  "constant_median,bow_linear", "--out", str(out))  # fmt: skip
    assert [one["predictor"] for one in result["predictors"]] == ["constant_median", "bow_linear"]
    assert set(result["predictors"][0]) == {"predictor", "metrics", "n", "coverage", "seconds"}
    assert set(result["predictors"][0]["metrics"]["mae"]) == {"value", "low", "high"}
    kept = pd.read_csv(out / "predictions.csv")
    assert list(kept.columns) == ["model", "index", "guess", "truth", "raw", "status", "tokens_in", "tokens_out", "seconds", "usd"]
    assert len(kept) == 24
    assert (out / "bow_linear.csv").exists()


def test_settings_and_features_come_from_the_command_line(tables: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    usual = ["baselines", *tables, "--text", "text", "--target", "answer", "--task", "regression", "--only", "features_linear"]
    told(capsys, *usual, "--feature", "kind", "--set", 'features_linear.off=["brand", "length"]', "--set",
         "features_linear.made+=long = len(text) > 16", "--set", "features_linear.made+=fine = contains(text, \"fine\")", "--out", str(out))  # fmt: skip
    names = set(pd.read_csv(out / "looks_at.csv")["what"])
    assert {"long", "fine"} <= names
    assert any(name.startswith("kind: ") for name in names)
    assert not any(name.startswith(("brand", "characters")) for name in names)
    for wrong, said in (
        ("features_linear.off", "NAME.SETTING=VALUE"),
        ("svm.scale=log", "not among the predictors that run"),
        ("features_linear.shade=1", "no setting shade"),
        ("features_linear.made+=x = nothing + 1", "not among"),
    ):
        assert main([*usual, "--set", wrong]) == 1
        assert said in capsys.readouterr().err


def test_a_version_brings_its_roles_and_splits(home: Path, capsys: Any) -> None:
    one = version("classification")
    result = told(capsys, "baselines", one.id, one.id, "--only", "majority,svm")
    assert [p["n"] for p in result["predictors"]] == [12, 12]
    assert "accuracy" in result["predictors"][0]["metrics"]


def test_a_function_of_ones_own_is_measured_beside_the_others(tables: Any, tmp_path: Path, capsys: Any) -> None:
    own = tmp_path / "mine.py"
    own.write_text("def price(row):\n    assert 'answer' not in row\n    return 30.0 if 'lamp' in row['text'] else None\n")
    usual = [*tables, "--text", "text", "--target", "answer", "--task", "regression", "--only", "constant_mean"]
    result = told(capsys, "baselines", *usual, "--predictor", f"{own}:price")
    assert result["predictors"][1]["predictor"] == "price"
    assert 0 < result["predictors"][1]["coverage"] < 1
    own.write_text("def price(row):\n    return row['nothing']\n")
    assert main(["baselines", *usual, "--predictor", f"{own}:price"]) == 1
    assert "failed on every one of 12 test rows, first on test row 1: KeyError" in capsys.readouterr().err
    own.write_text("def price(row):\n    return 30.0 if 'lamp' in row['text'] else row['nothing']\n")
    result = told(capsys, "baselines", *usual, "--predictor", f"{own}:price")
    assert 0 < result["predictors"][1]["coverage"] < 1, "a failure of one row is counted and not the end"
    assert main(["baselines", *usual, "--predictor", f"{own}:cost"]) == 1
    assert "mine.py has no 'cost'" in capsys.readouterr().err


def test_wrong_calls_say_what_to_do(tables: Any, capsys: Any) -> None:
    assert main(["baselines", *tables, "--text", "text", "--target", "answer"]) == 1
    assert "--task" in capsys.readouterr().err
    assert main(["baselines", *tables, "--text", "text", "--target", "answer", "--task", "regression", "--only", "majority"]) == 1
    assert "'majority' cannot answer regression" in capsys.readouterr().err
    assert main(["baselines", *tables, "--text", "text", "--target", "cost", "--task", "regression"]) == 1
    assert "cost" in capsys.readouterr().err


def test_predict_prints_the_promised_keys(tables: Any, tmp_path: Path, weights: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Double:
        def complete(self, requests: Any, **how: Any) -> list[Reply]:
            assert how["prefix"] == "The answer is "
            return [Reply("12" if "lamp" in chat[-1]["content"] else "no idea", 9, 2, 0.1) for chat in requests]

    monkeypatch.setattr(embedded, "engine", lambda folder: Double() if folder == weights else None)
    out = tmp_path / "answers.csv"
    result = told(capsys, "predict", tables[1], "--model", "embedded", "--target", "answer", "--task", "regression", "--out", str(out))
    assert set(result) == {"model", "n", "coverage", "seconds", "tokens_in", "tokens_out", "usd", "file"}
    assert result["n"] == 12
    assert 0 < result["coverage"] < 1
    kept = pd.read_csv(out)
    assert set(kept["status"]) == {"ok", "unread"}
    assert kept["truth"].notna().all()


def test_a_language_model_of_any_address_is_asked_with_what_the_options_say(
    home: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    one = version("regression")
    (tmp_path / "prices.md").write_text("A plain kettle is cheap.\n\nA fine drill costs more.\n", encoding="utf-8")
    with Loopback() as server:
        for name, value in for_child(server.url, KEY).items():
            monkeypatch.setenv(name, value)
        result = told(capsys, "baselines", one.id, one.id, "--only", "fewshot,passages", "--provider", "compatible", "--base-url", server.url,
                      "--model", "small", "--set", "fewshot.shots=2", "--set", "passages.shots=1", "--passages", str(tmp_path / "prices.md"),
                      "--system", "Say one number.", "--max-tokens", "9", "--retries", "1", "--limit", "6", "--out",
                      str(tmp_path / "out"))  # fmt: skip
        first = server.asked[0]
    assert [one["predictor"] for one in result["predictors"]] == ["fewshot", "passages"]
    assert all(one["asked"]["prompt_tokens_mean"] > 5 and one["n"] == 6 for one in result["predictors"])
    assert (first["messages"][0]["content"], first["temperature"]) == ("Say one number.", 0)
    assert len(first["messages"]) == 6
    shown = [json.loads(line) for line in (tmp_path / "out" / "shown.jsonl").read_text().splitlines()]
    assert {line["model"]: len(line["shown"]) for line in shown} == {"fewshot": 2, "passages": 1}
    assert all(line["shown"][0]["source"].startswith("prices.md") for line in shown if line["model"] == "passages")


def test_a_hosted_model_needs_its_name(home: Path, capsys: Any) -> None:
    one = version("regression")
    assert main(["baselines", one.id, one.id, "--only", "prompted", "--provider", "compatible", "--base-url", "http://127.0.0.1:1/v1"]) == 1
    assert "--model is missing" in capsys.readouterr().err


def test_recorded_answers_stand_beside_what_is_measured(tables: Any, tmp_path: Path, capsys: Any) -> None:
    train, test = tables
    truth = pd.read_csv(test)["answer"].tolist()
    path = tmp_path / "old model.csv"
    pd.DataFrame({"raw": [f"Price is ${value:,.2f}" for value in truth[:-1]] + ["between 5 and 9"]}).to_csv(path, index=False)
    how = ["baselines", train, test, "--text", "text", "--target", "answer", "--task", "regression"]
    result = told(capsys, *how, "--only", "constant_median", "--recorded", str(path))
    median, old = result["predictors"]
    assert (median["predictor"], old["predictor"]) == ("constant_median", "old model")
    assert old["coverage"] == pytest.approx(11 / 12)
    first = told(capsys, *how, "--recorded", str(path), "--reader", "first-number")
    assert [(one["predictor"], one["coverage"]) for one in first["predictors"]] == [("old model (first number)", 1.0)]
    path.write_text("index,guess\n99,1\n", encoding="utf-8")
    assert main([*how, "--recorded", str(path)]) == 1
    assert "line 2 ('99')" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read as a prompt"), ("[1, 2]", "holds list"), ("user: [", "cannot be read")]
)
@pytest.mark.parametrize("command", ["finetune local {data} --out out --target price --text text", "predict {data} --model embedded",
                                     "baselines {data} {data} --text text --target price --task regression --only prompted"])  # fmt: skip
def test_a_prompt_that_is_none_is_told_by_every_command_that_takes_one(home, tmp_path, weights, command, content, words, capsys):
    data, prompt = tmp_path / "rows.csv", tmp_path / "prompt.yaml"
    data.write_text("text,price\n" + "".join(f"lamp {i},{i + 1}\n" for i in range(20)))
    if content is not None:
        prompt.write_text(content)
    assert main([*command.format(data=data).replace("--out out", f"--out {tmp_path / 'out'}").split(), "--prompt", str(prompt)]) == 1
    assert words in capsys.readouterr().err
