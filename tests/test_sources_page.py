"""The pages of the sources: the Hub, Kaggle, samples of any size, and a table that is made up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.io import jobs, store
from core.load.synthetic import Description
from tests.doubles import ROOT
from tests.hub_server import Hub, parquet
from tests.kaggle_server import Kaggle

SECRET = "hf_typed_for_this_session_only"


def app(source: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    at.query_params["explore_add"] = "1"
    at = at.switch_page("../pages/explore.py").run()
    at.segmented_control(key="explore_add_source").set_value(source).run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    kinds = (at.caption, at.markdown, at.error, at.subheader, at.title, at.toast)
    return " ".join(str(one.value).replace("\\", "") for kind in kinds for one in kind) + " ".join(
        str(getattr(e, "title", "")) for e in at.error
    )


def run_bar(at: AppTest):
    return at.button(key="explore_add_run")


@pytest.fixture
def online(home: Path, monkeypatch: pytest.MonkeyPatch):
    with Hub() as hub:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def products(name: str, rows: int) -> bytes:
    prices = ["$12.50", "12.5", "None", "1,299.00"]
    return parquet(
        pd.DataFrame(
            {
                "title": [f"{name} number {i} with a long name" for i in range(rows)],
                "price": [prices[i % 4] for i in range(rows)],
                "features": [["sturdy", f"{i} parts"] for i in range(rows)],
                "store": ["Acme", "Nova"] * (rows // 2),
            }
        )
    )


def amazon(hub: Hub) -> str:
    files = {f"raw_meta_Appliances/full-0000{n}-of-00002.parquet": products(f"kettle {n}", 60) for n in range(2)}
    files |= {"raw_meta_All_Beauty/full-00000-of-00001.parquet": products("brush", 40), "Amazon-Reviews-2023.py": b"raise SystemExit"}
    hub.repo("McAuley-Lab/Amazon-Reviews-2023", files)
    return "McAuley-Lab/Amazon-Reviews-2023"


def look_up(at: AppTest, id: str, revision: str = "") -> AppTest:
    at.text_input(key="explore_hub_id").set_value(id)
    at.text_input(key="explore_hub_revision").set_value(revision)
    next(b for b in at.button if b.label == "Look it up").click().run()
    assert not at.exception
    return at


def test_nothing_named_is_said_in_the_run_bar(online: Hub) -> None:
    at = app("Hugging Face")
    assert run_bar(at).disabled
    assert "Name a dataset" in said(at)
    assert not online.requests


def test_the_example_opens_with_two_presses_and_several_categories_become_one_table(online: Hub) -> None:
    amazon(online)
    at = app("Hugging Face")
    at.button(key="explore_hub_example").click().run()
    assert not at.exception
    assert at.multiselect(key="explore_hub_configs").value == ["raw_meta_Appliances"]
    at.multiselect(key="explore_hub_configs").set_value(["raw_meta_Appliances", "raw_meta_All_Beauty"]).run()
    assert "all rows · 3 files" in said(at)
    assert not run_bar(at).disabled
    run_bar(at).click().run()
    assert not at.exception
    assert at.title[0].value == "Explore"
    saved = store.datasets()[0].versions[0]
    assert (saved.rows, saved.roles.target, saved.roles.category, saved.task) == (160, "price", "category", "regression")
    assert store.frame(saved)["category"].value_counts().to_dict() == {"raw_meta_Appliances": 120, "raw_meta_All_Beauty": 40}
    assert saved.source["revision"] == online.repos["McAuley-Lab/Amazon-Reviews-2023"].refs["main"]


def test_first_rows_columns_and_a_price_range_narrow_what_is_read(online: Hub) -> None:
    at = look_up(app("Hugging Face"), amazon(online))
    at.number_input(key="explore_hub_rows").set_value(20).run()
    at.multiselect(key="explore_hub_columns").set_value(["title", "price"]).run()
    at.selectbox(key="explore_hub_by").set_value("price").run()
    assert "Say which numbers of price are kept" in said(at)
    assert run_bar(at).disabled
    at.number_input(key="explore_hub_low_price").set_value(10.0).run()
    at.number_input(key="explore_hub_high_price").set_value(20.0).run()
    run_bar(at).click().run()
    assert not at.exception
    saved = store.datasets()[0].versions[0]
    frame = store.frame(saved)
    assert list(frame.columns) == ["title", "price"]
    assert frame["price"].tolist() == ["$12.50", "12.5"] * 10


@pytest.mark.parametrize(
    ("id", "told"),
    [("nobody/nothing", "No such dataset"), ("no id at all !", "That is no dataset id"), ("some/pictures", "No table in this dataset")],
)
def test_what_cannot_be_looked_up_says_why(online: Hub, id: str, told: str) -> None:
    online.repo("some/pictures", {"a.png": b"x", "README.md": b"#"})
    at = look_up(app("Hugging Face"), id)
    assert told in said(at)
    assert run_bar(at).disabled


def test_without_a_way_out_the_page_says_so_within_seconds(online: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    at = look_up(app("Hugging Face"), "some/thing")
    assert "No Hub access from here" in said(at)
    assert run_bar(at).disabled


def test_a_gated_dataset_asks_for_a_token_and_a_typed_one_opens_it_and_is_kept_nowhere(online: Hub, home: Path) -> None:
    online.repo("lab/gated", {"data/train-00000-of-00001.parquet": products("lamp", 20)}, gated=True, let_in={SECRET})
    at = look_up(app("Hugging Face"), "lab/gated")
    assert "This dataset is gated" in said(at)
    at.session_state["key_HF_TOKEN"] = SECRET
    look_up(at, "lab/gated")
    assert "typed for this session" in said(at)
    run_bar(at).click().run()
    assert not at.exception
    assert store.datasets()[0].versions[0].rows == 20
    kept = [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not kept
    assert not [path for _, path, headers in online.requests if path.startswith("/cdn/") and SECRET in str(headers)]


def test_hostile_names_of_columns_and_configurations_are_shown_as_text(online: Hub) -> None:
    bad = "![x](http://evil.example/a.png) $5 :red[no] <script>"
    frame = pd.DataFrame({bad: [bad] * 10, "stars": ["1", "2"] * 5})
    online.repo("lab/bad", {"![x](a)/train.parquet": parquet(frame)})
    at = look_up(app("Hugging Face"), "lab/bad")
    shown = [str(one.value) for kind in (at.caption, at.markdown, at.subheader, at.error) for one in kind]
    assert not [one for one in shown if "![x](" in one or "<script>" in one]


def test_a_failed_fetch_says_why_and_adds_nothing(online: Hub) -> None:
    at = look_up(app("Hugging Face"), amazon(online))
    online.repos["McAuley-Lab/Amazon-Reviews-2023"].trouble["raw_meta_Appliances/full-00001-of-00002.parquet"] = "breaks"
    run_bar(at).click().run()
    assert not at.exception
    assert "The file did not come whole" in said(at)
    assert not store.datasets()
    assert not run_bar(at).disabled


def test_a_stopped_fetch_says_so_and_the_choices_stand(online: Hub) -> None:
    at = look_up(app("Hugging Face"), amazon(online))
    at.number_input(key="explore_hub_rows").set_value(7).run()
    job = jobs.start("fetch", {"source": "hub", "wish": {}}, title="Fetch it", environment=None)
    (job.folder / "error.json").unlink(missing_ok=True)
    (job.folder / "result.json").unlink(missing_ok=True)
    (job.folder / "cancelled").touch()
    at.session_state["explore_fetch_hub"] = job.id
    at.run()
    assert not at.exception
    assert "Nothing was added" in said(at)
    assert at.number_input(key="explore_hub_rows").value == 7


@pytest.fixture
def kaggle(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with Kaggle() as server:
        yield server


def kaggle_look_up(at: AppTest, handle: str) -> AppTest:
    at.text_input(key="explore_kaggle_handle").set_value(handle)
    next(b for b in at.button if b.label == "Look it up").click().run()
    assert not at.exception
    return at


def test_a_file_of_kaggle_is_fetched_looked_at_and_added(kaggle: Kaggle, home: Path) -> None:
    table = "text,stars\n" + "".join(f"a review about thing number {i},{1 + i % 5}\n" for i in range(40)) + "too,many,values\n"
    kaggle.add("zillow/zecon", {"reviews.csv": table.encode(), "more/b.csv": b"x\n1\n2\n", "c.png": b"x"}, version=3)
    at = kaggle_look_up(app("Kaggle"), "https://www.kaggle.com/datasets/zillow/zecon")
    assert "version 3 · 3 files" in said(at)
    at.selectbox(key="explore_kaggle_file").set_value("reviews.csv").run()
    run_bar(at).click().run()
    assert not at.exception
    assert "40 rows" in said(at)
    assert not store.datasets()
    run_bar(at).click().run()
    assert not at.exception
    saved = store.datasets()[0].versions[0]
    assert (saved.rows, saved.roles.target, saved.source["kaggle"], saved.source["kaggle_version"]) == (40, "stars", "zillow/zecon", 3)
    assert saved.source["rejected"] == 1
    assert not list((home / "tmp").glob("kaggle-*"))


def test_a_large_file_of_kaggle_is_read_piece_by_piece(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.io.parts.LARGE", 1_000)
    table = "text,stars\n" + "".join(f"a review about thing number {i},{1 + i % 5}\n" for i in range(400))
    kaggle.add("zillow/zecon", {"reviews.csv": table.encode()}, version=3)
    at = kaggle_look_up(app("Kaggle"), "zillow/zecon")
    run_bar(at).click().run()
    assert not at.exception
    run_bar(at).click().run()
    assert not at.exception
    saved = store.datasets()[0].versions[0]
    assert saved.rows == 400
    assert "zillow/zecon/versions/3" in saved.source["path"]


def test_kaggle_says_what_is_missing(kaggle: Kaggle, monkeypatch: pytest.MonkeyPatch) -> None:
    kaggle.add("me/secret", {"a.csv": b"x"}, private=True)
    kaggle.add("me/pictures", {"a.png": b"x"})
    at = app("Kaggle")
    assert "none, so public datasets only" in said(at)
    for handle, told in (("me/secret", "No Kaggle credentials"), ("me/none", "No such dataset"), ("x", "That is no dataset of Kaggle"),
                         ("me/pictures", "No table in this dataset")):  # fmt: skip
        assert told in said(kaggle_look_up(at, handle))
        assert run_bar(at).disabled
    monkeypatch.setattr("core.io.kaggle.installed", lambda: False)
    at = app("Kaggle")
    assert "kagglehub is not installed" in said(at)


def test_a_sample_opens_at_the_size_and_seed_that_are_asked_for(home: Path) -> None:
    at = app("Samples")
    assert at.number_input(key="explore_rows_stars").value == 6_000
    at.number_input(key="explore_rows_stars").set_value(240)
    at.number_input(key="explore_seed_stars").set_value(7)
    at.button(key="explore_open_stars").click().run()
    assert not at.exception
    saved = store.datasets()[0].versions[0]
    assert (saved.rows, saved.source["seed"]) == (240, 7)


def test_a_made_up_table_is_ready_at_once_and_opens_with_its_roles(home: Path) -> None:
    at = app("Make one up")
    assert not run_bar(at).disabled
    assert "3,000 rows · 7 columns · 190 planted faults · predict price" in said(at)
    run_bar(at).click().run()
    assert not at.exception
    saved = store.datasets()[0].versions[0]
    assert (saved.rows, saved.roles.target, saved.task, saved.roles.split) == (3_000, "price", "regression", "split")
    assert saved.splits["test"] > 290
    assert saved.source["synthetic"]
    assert Description.from_dict(saved.source["described"]).to_dict()["rows"] == 3_000


def test_a_table_made_before_can_be_made_again_larger(home: Path) -> None:
    run_bar(app("Make one up")).click().run()
    at = app("Make one up")
    made = next(one for one in at.selectbox(key="explore_make_from").options if "version 1" in one)
    at.selectbox(key="explore_make_from").set_value(made).run()
    rows = next(one for one in at.number_input if one.label == "Rows")
    assert rows.value == 3_000
    rows.set_value(500).run()
    assert not run_bar(at).disabled
    run_bar(at).click().run()
    assert not at.exception
    assert sorted(one.versions[0].rows for one in store.datasets()) == [500, 3_000]


def test_what_cannot_be_made_says_why_while_it_is_typed(home: Path) -> None:
    at = app("Make one up")
    lines = next(one for one in at.text_area if one.label.startswith("Templates"))
    lines.set_value("{colour} {thing}").run()
    assert not at.exception
    assert "That column cannot be made" in said(at)
    assert "'{colour}' is no word list" in said(at)
    assert run_bar(at).disabled
    next(one for one in at.text_area if one.label.startswith("Templates")).set_value("{color} {thing}").run()
    assert not run_bar(at).disabled
    next(one for one in at.number_input if one.label == "Exact duplicates").set_value(5_000).run()
    run_bar(at).click().run()
    assert "Too many faults" in said(at)
    assert not store.datasets()


def test_columns_are_added_renamed_changed_and_removed(home: Path) -> None:
    at = app("Make one up")
    next(b for b in at.button if b.label == "Add a column").click().run()
    assert "8 columns" in said(at)
    next(one for one in at.text_input if one.label == "Column name").set_value("shade").run()
    next(one for one in at.selectbox if one.label == "Kind").set_value("number").run()
    next(one for one in at.number_input if one.label == "To").set_value(7.0).run()
    assert not at.exception
    state = at.session_state["explore_make"]["columns"][-1]
    assert (state["name"], state["kind"], state["high"]) == ("shade", "number", 7.0)
    next(b for b in at.button if b.label.startswith("Remove")).click().run()
    assert "7 columns" in said(at)
    assert not run_bar(at).disabled


def test_a_renamed_column_is_followed_by_the_target(home: Path) -> None:
    at = app("Make one up")
    next(one for one in at.text_input if one.label == "Column name").set_value("listing").run()
    assert not at.exception
    target = next(one for one in at.session_state["explore_make"]["columns"] if one["kind"] == "target")
    assert "listing" in dict(target["weights"])
    assert not run_bar(at).disabled
