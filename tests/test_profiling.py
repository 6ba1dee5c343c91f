"""What Explore tells of a large version without loading it: samples by lot, numbers beside the table, exact where cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers

from core.errors import DataError, MissingError, SettingsError, Stopped
from core.explore import distributions
from core.explore.profile import profile as whole_profile
from core.io import jobs, numbers, profiling, query, relating, store, tokenizer_files, tokens
from core.io.query import Filter
from core.version import Roles, Version
from tests.doubles import ROOT
from ui import explore_python

N = 5000


@pytest.fixture
def version(home: Path) -> Version:
    rng = np.random.default_rng(0)
    kind = rng.choice(["pump", "lamp", "drill"], N, p=[0.5, 0.3, 0.2])
    price = np.round(rng.lognormal(3, 1, N), 2)
    frame = pd.DataFrame(
        {
            "text": [f"{k} number {i % 4000} {'좋다 ' * (i % 9)}" for i, k in enumerate(kind)],
            "note": [None if i % 10 == 0 else "" if i % 10 == 1 else f"note {i}" for i in range(N)],
            "kind": kind,
            "price": price,
            "weight": np.where(rng.random(N) < 0.1, np.nan, price * 2 + rng.normal(size=N)),
        }
    )
    roles = Roles(text=("text", "note"), target="price", category="kind")
    return store.save("many", frame, title="Import", roles=roles, task="regression", source_hash="m")


@pytest.fixture
def large(version: Version, monkeypatch: pytest.MonkeyPatch) -> Version:
    """The same version where five thousand rows count as too many to be looked at whole."""
    monkeypatch.setattr(numbers, "LARGE", 1000)
    monkeypatch.setattr(profiling, "LARGE", 1000)
    monkeypatch.setattr(profiling, "SAMPLE", 1000)
    monkeypatch.setattr(profiling, "drawn", lambda v, size=1000, seed=0, draw=profiling.drawn: draw(v, min(size, 1000), seed))
    return version


def exact(version: Version) -> pd.DataFrame:
    frame = store.frame(version)
    texts = ["\n".join(p for p in (a, b) if isinstance(p, str) and p) for a, b in zip(frame.text, frame.note, strict=True)]
    return pd.DataFrame({"n_chars": [len(t) for t in texts], "n_words": [len(t.split()) for t in texts],
                         "n_tokens": tokens.counter()(texts), "target": frame.price, "text": texts})  # fmt: skip


def test_numbers_of_a_large_version_are_written_without_tokens_and_counted_later(large: Version) -> None:
    truth = exact(large)
    quick = pd.read_parquet(numbers.ensure(large))
    assert quick["n_chars"].tolist() == truth["n_chars"].tolist()
    assert quick["target"].tolist() == truth["target"].tolist()
    assert quick["n_tokens"].isna().all()
    assert not numbers.is_counted(large)
    job = jobs.start("tokens", {"dataset": large.dataset, "version": large.id, "tokenizer": "o200k_base"}, title="Count")
    assert (job.state, job.result) == ("done", {"rows": N, "tokenizer": "o200k_base"})
    assert numbers.is_counted(large)
    full = pd.read_parquet(numbers.path(large))
    for name in ("n_chars", "n_words", "n_tokens", "target"):
        assert full[name].tolist() == truth[name].tolist(), name
    assert full["text_hash"].tolist() == quick["text_hash"].tolist()


def test_the_quick_way_and_the_whole_way_write_the_same_numbers(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pd.read_parquet(numbers.ensure(version))
    numbers.path(version).unlink()
    monkeypatch.setattr(numbers, "LARGE", 1000)
    quick = pd.read_parquet(numbers.ensure(version))
    for name in ("n_chars", "target", "text_hash"):
        assert quick[name].tolist() == whole[name].tolist(), name


def test_a_price_as_text_is_read_by_the_tasks_own_rules_beside_a_large_table(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "LARGE", 3)
    frame = pd.DataFrame({"t": list("abcdef"), "price": ["$12.50", "None", None, "1,299", "from 5", "5"]})
    one = store.save("p", frame, title="Import", roles=Roles(text=("t",), target="price"), task="regression", source_hash="p")
    found = pd.read_parquet(numbers.ensure(one))["target"].tolist()
    assert [None if value != value else value for value in found] == [12.5, None, None, 1299.0, None, 5.0]


def test_a_stopped_count_leaves_what_was_there(large: Version) -> None:
    before = numbers.ensure(large).read_bytes()

    def stop(done: int, total: int, message: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        numbers.count(large, progress=stop)
    assert numbers.path(large).read_bytes() == before
    assert not [p for p in store.folder(large).iterdir() if p.name.endswith(".tmp")]


def test_a_sample_is_rows_of_the_table_drawn_once(large: Version) -> None:
    frame = store.frame(large)
    found = profiling.sample(large)
    assert len(found) == 1000
    assert found.index.is_monotonic_increasing
    assert found.index.is_unique
    assert found["text"].tolist() == frame["text"].iloc[found.index].tolist()
    assert profiling.drawn(large).tolist() == found.index.tolist()


def test_the_profile_of_a_small_version_is_that_of_all_rows(version: Version) -> None:
    found = profiling.profile(version)
    wanted = whole_profile(store.frame(version), version.roles, version.task, numbers.lengths(version))
    assert found == wanted
    assert found.total == 0


def test_the_profile_of_a_large_version_is_exact_where_it_says_so_and_holds_the_truth_within_its_margin(large: Version) -> None:
    found = profiling.profile(large)
    truth = {one.name: one for one in whole_profile(store.frame(large), large.roles, large.task, None).columns}
    assert (found.rows, found.total) == (1000, N)
    for one in found.columns:
        if one.margin:
            assert abs(one.nulls - truth[one.name].nulls) / N <= 2 * one.margin
        else:
            assert one.nulls == truth[one.name].nulls
        if not one.about:
            assert one.unique == truth[one.name].unique
        else:
            assert one.unique == pytest.approx(truth[one.name].unique, rel=0.1)
    assert {one.name for one in found.columns if not one.margin} == {"price", "weight"}
    frame = store.frame(large)
    for finding in found.findings:
        if finding.group == "duplicate":
            assert frame.iloc[list(finding.rows)]["text"].str.contains("number").all()


def test_lengths_from_a_sample_come_with_an_interval_that_holds_the_truth(large: Version) -> None:
    truth = exact(large)
    for measure, name in profiling.MEASURES.items():
        found = profiling.counted(large, measure)
        assert found.lengths.whole == (measure == "characters")
        low, high = 12, 30
        share = truth[name].between(low, high).mean()
        kept = found.lengths.kept(low, high)
        assert abs(kept.rows / kept.of_rows - share) <= max(2 * found.lengths.margin(low, high), 0)
        assert kept.of_rows == N
        assert kept.of_tokens == pytest.approx(truth[name].sum(), rel=0.05)
    exactly = profiling.counted(large, "characters")
    assert exactly.lengths.kept(12, 30).tokens == truth["n_chars"][truth["n_chars"].between(12, 30)].sum()
    assert exactly.longest_row == truth["n_chars"].idxmax()


def test_quantiles_and_curves_of_lengths_are_numpys() -> None:
    values = np.random.default_rng(1).integers(0, 300, 2001)
    found = distributions.lengths(values)
    assert found.quantile(0.5) == np.sort(values)[1000]
    assert found.mean() == pytest.approx(values.mean())
    assert sum(found.histogram().counts) == 2001
    x, y = found.curve(50)
    assert (x[0], x[-1], y[-1]) == (values.min(), values.max(), 1.0)
    assert y == sorted(y)
    assert found.kept(10, 20) == distributions.kept(values, 10, 20)


def test_the_interval_of_a_share_covers_in_about_95_of_100_samples() -> None:
    rng = np.random.default_rng(2)
    shares = rng.binomial(1000, 0.07, 2000) / 1000
    inside = np.mean([abs(share - 0.07) <= distributions.half_width(share, 1000) for share in shares])
    assert 0.92 <= inside <= 0.98


def test_rows_of_the_same_text_are_found_by_hash_and_checked_by_letters(home: Path) -> None:
    frame = pd.DataFrame({"a": ["same", "other", "same", "", "same", ""], "b": ["x", "x", "x", "", "y", None]})
    one = store.save("twice", frame, title="Import", roles=Roles(text=("a", "b")), source_hash="t")
    assert [profiling.same_text(one, row) for row in range(6)] == [[2], [], [0], [], [], []]


def test_ends_of_a_column_are_its_shortest_and_longest_cells(version: Version) -> None:
    found = profiling.extremes(version, "text")
    sizes = store.frame(version)["text"].str.len()
    assert found["chars"].tolist()[:5] == sorted(sizes)[:5]
    assert found["chars"].tolist()[5:] == sorted(sizes)[-5:]
    prices = profiling.extremes(version, "price")
    assert float(prices["value"].iloc[0]) == store.frame(version)["price"].min()


def test_quantiles_by_category_and_by_length_are_pandas(version: Version) -> None:
    frame = store.frame(version)
    found = relating.quantiles(version, "price", "kind").set_index("category")
    wanted = frame.groupby("kind")["price"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
    np.testing.assert_allclose(found.loc[wanted.index, ["5 %", "25 %", "median", "75 %", "95 %"]], wanted)
    by_length = relating.target_by_length(version)
    assert by_length["rows"].sum() == N
    assert (by_length["from"].iloc[1:].to_numpy() > by_length["to"].iloc[:-1].to_numpy()).all()


def test_associations_find_the_column_that_follows_the_target(version: Version) -> None:
    found, matrix, rows = relating.associations(version)
    assert next(iter(found)) == "weight"
    assert found["weight"].value > 0.95
    assert rows == N
    assert matrix.loc["price", "weight"] == pytest.approx(found["weight"].value)
    assert "length of note" in found


def test_a_cut_of_another_tokenizer_filters_by_its_own_file(version: Version) -> None:
    numbers.ensure(version, "cl100k_base")
    counts = np.array(tokens.counter("cl100k_base")(exact(version)["text"].tolist()))
    found = query.rows_of(version, [Filter("n_tokens@cl100k_base", 8, 12), Filter("n_chars", low=20)])
    assert found == [int(i) for i in np.flatnonzero((counts >= 8) & (counts <= 12) & (exact(version)["n_chars"] >= 20))]
    outside = query.count(version, [Filter("n_tokens@cl100k_base", 8, 12, outside=True)])
    assert outside == int(((counts < 8) | (counts > 12)).sum())


def scripts(version: Version) -> dict[str, str]:
    filters = [Filter("price", 5, 60), Filter("kind", values=("pump", "lamp")), Filter(search="좋다", columns=("text",))]
    return {
        "overview": explore_python.overview(version, "price", "kind", filters, True),
        "rows": explore_python.rows(version, filters, "price", True, ["text", "price"], 10, 5),
        "columns": explore_python.columns(version, "kind"),
        "tokens": explore_python.lengths(version, "tokens", "o200k_base", 5, 20),
        "sql": explore_python.sql(version, "SELECT kind, count(*) AS n FROM data GROUP BY ALL ORDER BY kind"),
    }


@pytest.mark.parametrize("view", ["overview", "rows", "columns", "tokens", "sql"])
def test_the_script_of_a_view_runs_as_it_is_and_prints_what_the_page_shows(version: Version, view: str) -> None:
    out = subprocess.run([sys.executable, "-c", scripts(version)[view]], capture_output=True, text=True, cwd=ROOT, check=False)
    assert out.returncode == 0, out.stderr
    frame = store.frame(version)
    chosen = frame[frame.price.between(5, 60) & frame.kind.isin(["pump", "lamp"]) & frame.text.str.contains("좋다")]
    if view == "overview":
        assert f"rows {len(chosen)}\n" in out.stdout
        assert (
            str(query.categories(version, "kind", [Filter("price", 5, 60), Filter(search="좋다", columns=("text",))], most=8)) in out.stdout
        )
    elif view == "rows":
        wanted = chosen.sort_values("price", ascending=False, kind="stable").iloc[10:15]
        assert f"rows {[i + 1 for i in wanted.index]}" in out.stdout
    elif view == "columns":
        assert f"price number 0 {frame.price.nunique()}" in out.stdout
        assert "weight Spearman" in out.stdout
    elif view == "tokens":
        counts = exact(version)["n_tokens"]
        inside = counts.between(5, 20)
        assert f"rows {inside.sum()} of {N}\ntotal {counts[inside].sum()} of {counts.sum()}" in out.stdout
    else:
        counts = frame.kind.value_counts()
        assert all(f"{name:>5} {counts[name]:>4}" in out.stdout for name in counts.index)


def tokenizer_folder(folder: Path) -> Path:
    words = {"[UNK]": 0, "a": 1, "pump": 2}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.enable_truncation(2)
    folder.mkdir(parents=True)
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_folder_with_a_tokenizer_counts_whole_texts(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "mine")
    assert tokens.counter(f"file:{folder}")(["a pump", "", "a b c d e"]) == [2, 0, 5]
    with pytest.raises(MissingError, match=r"no tokenizer\.json"):
        tokens.counter(f"file:{tmp_path}")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="no tokenizer this studio can read"):
        tokens.counter(f"file:{tmp_path / 'bad'}")


def test_a_tokenizer_of_the_hub_without_a_network_says_what_to_do() -> None:
    with pytest.raises(MissingError, match="not on this machine"):
        tokens.counter("hub:nobody/never-cached")
    with pytest.raises(SettingsError, match="owner/name"):
        tokens.counter("hub:../../etc/passwd")


def test_older_encodings_are_offered_where_their_ranks_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert tokenizer_files.older_encodings() == ()
    with pytest.raises(SettingsError, match="r50k_base"):
        tokens.counter("r50k_base")
    name = "r50k_base"
    (tmp_path / tokenizer_files._key(f"encodings/{name}.tiktoken")).write_bytes(b"")
    assert tokenizer_files.older_encodings() == (name,)
    tiny = tiktoken.Encoding(name, pat_str=r"\S+|\s+", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    monkeypatch.setattr(tiktoken, "get_encoding", lambda wanted: tiny)
    assert tokens.counter(name)(["abc", ""]) == [3, 0]


def test_a_search_of_a_large_version_goes_slice_by_slice_and_says_when_it_stopped(large: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "SLICE", 700)
    frame = store.frame(large)
    wanted = [int(i) for i in np.flatnonzero(frame.text.str.contains("LAMP", case=False) & (frame.price > 20))]
    chosen = [Filter(search="LAMP", columns=("text",)), Filter("price", low=20.001)]
    for offset, limit in ((0, 50), (120, 50), (len(wanted) - 5, 50), (0, 5000)):
        found = query.page(large, chosen, offset=offset, limit=limit)
        assert (list(found.rows), found.until) == (wanted[offset : offset + limit], None)
    wait = 1.0 - 1e-9
    found = query.page(large, [Filter(search="no such word")], seconds=wait)
    assert (found.rows, found.until) == ((), 0)


def test_a_target_beside_the_table_answers_as_the_table_does(version: Version) -> None:
    frame, truth = store.frame(version), exact(version)
    inside = frame.price.between(5, 60)
    assert sum(query.histogram(version, "n_tokens", [Filter("price", 5, 60)]).counts) == inside.sum()
    assert query.summary(version, "price", [Filter("n_chars", low=20)])["mean"] == pytest.approx(frame.price[truth.n_chars >= 20].mean())
