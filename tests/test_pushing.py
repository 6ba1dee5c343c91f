"""A push to the Hub, through a loopback one: private, whole or not at all, with a card from the lineage, and no token left behind."""

from __future__ import annotations

from io import BytesIO

import pandas as pd
import pytest
import yaml

from core.card import LICENCE, dataset_card, text
from core.curate.recipe import Recipe
from core.curate.steps import make
from core.io import curating, jobs, pushing, store
from core.io.jobs import Job
from core.io.sources import hub
from core.version import Version
from tests import doubles
from tests.hub_server import WRITER as SECRET
from tests.test_exporting import priced


def pushed(version: Version, token: str | None = SECRET, **more: object) -> Job:
    request = {"dataset": version.dataset, "version": version.id, "repo": "me/priced", **more}
    return jobs.start("push", request, title="Push", dataset=version.dataset, environment={"HF_TOKEN": token} if token else None)


def test_a_push_is_private_and_arrives_in_one_commit(online, home):
    version = priced()
    job = pushed(version)
    assert job.error is None
    assert job.result is not None
    assert job.result["private"] is True
    repo = online.repos["me/priced"]
    assert repo.private
    assert len(repo.files) == 2, "the empty repository, and one commit"
    files = repo.files[job.result["commit"]]
    assert set(files) >= {"README.md", "data/train.parquet", "data/validation.parquet", "data/test.parquet"}
    for part in ("train", "validation", "test"):
        rows = pd.read_parquet(BytesIO(files[f"data/{part}.parquet"]))
        assert rows["price"].tolist() == store.frame(version, split=part)["price"].tolist()
        ends = [f"Price is ${price:.0f}.00" if part == "train" else "\n\nPrice is $" for price in rows["price"]]
        assert all(cell.endswith(end) for cell, end in zip(rows["text"], ends, strict=True))


def test_the_token_is_nowhere_on_disk_nor_in_an_address(online, home):
    pushed(priced())
    assert any(headers.get("authorization") == f"Bearer {SECRET}" for _, _, headers in online.requests)
    assert not any(SECRET in path for path in online.paths())
    assert not [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not list(home.rglob("jobs/*/push")), "the scratch folder is gone"


def test_a_public_repository_is_not_written_to_when_private_was_asked_for(online):
    online.repo("me/priced", {"a.txt": b""}, let_in={SECRET})
    job = pushed(priced())
    assert job.error is not None
    assert job.error["title"] == "That repository is public"
    assert online.objects == {}
    assert pushed(priced(), private=False).state == "done"


def test_a_second_push_changes_the_same_repository(online):
    first, second = pushed(priced()), pushed(priced(rows=50))
    assert first.result
    assert second.result
    assert first.result["commit"] != second.result["commit"]
    assert list(online.repos) == ["me/priced"]


@pytest.mark.parametrize(
    ("token", "repo", "title"),
    [
        (None, "me/priced", "No token"),
        ("hf_may_only_read", "me/priced", "No right to write"),
        ("wrong", "me/priced", "The token is not accepted"),
        (SECRET, "priced", "No owner"),
        (SECRET, "me/../you", "That is no dataset id"),
    ],
)
def test_a_refusal_says_what_to_do(online, token, repo, title):
    job = pushed(priced(), token, repo=repo)
    assert job.error is not None
    assert job.error["title"] == title
    assert SECRET not in job.error["message"]


def test_an_upload_that_breaks_off_leaves_the_repository_as_it_was(online):
    online.refuse_uploads = True
    job = pushed(priced())
    assert job.error is not None
    assert job.error["title"] == "The upload broke off"
    assert [sorted(files) for files in online.repos["me/priced"].files.values()] == [[".gitattributes"]]


def test_what_was_pushed_comes_back_as_a_table(online):
    pushed(priced())
    found = hub.describe("me/priced", token=SECRET)
    assert {table.split for table in found.tables} == {"train", "validation", "test"}


def test_the_card_tells_source_steps_parts_columns_seed_and_leaves_the_licence(home):
    version = doubles.version("regression", rows=60, split=False)
    recipe = Recipe(
        (make("length_window", column="text", minimum=14), make("prompts", question="How much?", prefix="$"), make("split")), seed=7
    )
    made = curating.save(version, recipe)
    card = pushing.card(made)
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["configs"][0]["data_files"] == [{"split": part, "path": f"data/{part}.parquet"} for part in made.splits]
    assert "license" not in front
    assert LICENCE in card
    for report in made.report:
        assert f"| {report.rows_before} | {report.rows_after} |" in card
    for told in (made.id, version.id, "seed 7", "| answer | number | target |", *(f"| {part} | {n} |" for part, n in made.splits.items())):
        assert told in card


def test_words_of_the_data_are_no_markup_in_a_card():
    hostile = "a|b\n# head <img src=http://x> [l](http://x) ![i](http://x) `c` *e* @who"
    assert text(hostile).count("\n") == 0
    version = Version("d", "0" * 16, 1, hostile, rows=1, columns={hostile: "text"}, source={"file": hostile, "folder": "/home/me/secret"})
    card = dataset_card(hostile, [version])
    for mark in ("<img", "](http", "://", "/home/me", "\n# head"):
        assert mark not in card
