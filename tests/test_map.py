"""Vectors, groups, titles and the map: near is alike, the same every time, and said for what it is."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from core.errors import DataError, ModelError, ProviderError, SettingsError, Stopped
from core.explore import diversity, language
from core.explore import map as placing
from core.explore.finding import TOPICS
from core.explore.titles import titles
from core.io import embedding, encoder, jobs, mapping, ngrams, sentences, store, vectors
from core.io.providers.embeddings import embeddings
from core.io.vectors import Vectors
from core.version import Roles, Version
from tests.browser import person, serving
from tests.doubles import ROOT, shared
from tests.loopback import KEY, Loopback, busy
from ui import explore_map_figure as drawing

TOPICS_OF_TEXTS = {
    "delivery": ["배송이 빨라서 좋았어요", "배송은 하루 만에 왔습니다", "택배 배송도 안전했습니다", "포장과 배송을 신경 썼네요"],
    "film": ["배우의 연기가 훌륭했다", "감독은 배우를 잘 골랐다", "배우가 연기를 못했다", "연기는 좋은데 각본이 약하다"],
    "battery": ["배터리가 하루도 못 간다", "충전은 빠른데 배터리는 약하다", "배터리를 두 번 충전했다", "배터리도 금방 닳는다"],
}
UNRELATED = [
    ("배우의 연기가 훌륭하다", "배터리가 하루도 못 간다"),
    ("오늘 날씨가 맑다", "주식이 크게 떨어졌다"),
    ("아이가 학교에 간다", "커피가 너무 쓰다"),
    ("한국의 수도는 서울이다", "고양이가 창가에서 잔다"),
    ("회의는 세 시에 시작한다", "이 사과는 달고 아삭하다"),
]
NEGATED = [
    ("이 영화는 정말 재미있다", "이 영화는 정말 재미없다"),
    ("배우의 연기가 좋았다", "배우의 연기가 좋지 않았다"),
    ("다시 보고 싶다", "다시 보고 싶지 않다"),
    ("환불이 가능합니다", "환불이 불가능합니다"),
    ("배송이 빨라요", "배송이 안 빨라요"),
]


def korean(rows: int = 90) -> Version:
    names = list(TOPICS_OF_TEXTS)
    texts = [f"{TOPICS_OF_TEXTS[names[row % 3]][row // 3 % 4]} {row // 12}번" for row in range(rows)]
    texts[7] = "  "
    frame = pd.DataFrame({"text": texts, "topic": [names[row % 3] for row in range(rows)], "price": np.arange(rows) * 1.5})
    roles = Roles(text=("text",), target="topic")
    return store.save("Korean", frame, title="Import", roles=roles, task="classification", source_hash=f"korean{rows}")


def cosines(make, pairs: list[tuple[str, str]]) -> np.ndarray:
    left, right = (embedding.unit(np.asarray(make([pair[side] for pair in pairs]))) for side in (0, 1))
    return (left * right).sum(axis=1)


# ---- placing


def test_principal_components_agree_with_the_textbook_and_are_never_mirrored() -> None:
    from sklearn.decomposition import PCA

    table = np.random.default_rng(0).normal(size=(300, 12)) * np.arange(1, 13)
    mine, held = placing.components(table, 3)
    theirs = PCA(3, svd_solver="full").fit(table)
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs.transform(table)), atol=1e-8)
    assert held == pytest.approx(theirs.explained_variance_ratio_.sum())
    shuffled = np.random.default_rng(1).permutation(300)
    np.testing.assert_allclose(placing.components(table[shuffled], 3)[0], mine[shuffled], atol=1e-8)


def test_vectors_of_one_dimension_or_all_alike_still_have_a_place() -> None:
    assert placing.components(np.ones((5, 1)))[0].shape == (5, 2)
    assert placing.components(np.ones((5, 3)))[1] == 0.0


def test_groups_that_are_there_are_found_the_largest_first() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2, 3], [150, 90, 60, 40])
    table = np.eye(4)[truth] @ rng.normal(size=(4, 20)) * 5 + rng.normal(size=(len(truth), 20)) * 0.4
    order = rng.permutation(len(truth))
    found = placing.groups(table[order])
    assert found.count == 4
    assert (found.labels == truth[order]).all()
    assert found.silhouette > 0.7
    assert (placing.groups(table[order]).labels == found.labels).all()
    assert placing.groups(table, 2).count == 2
    assert placing.groups(table[:10]).count == 1


@given(some.lists(some.tuples(some.floats(-2, 2), some.floats(-2, 2)), min_size=1, max_size=50))
def test_a_line_around_a_disc_encloses_what_lies_in_the_disc(points) -> None:
    x, y = np.array(points).T
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    found = placing.inside(x, y, np.cos(angles), np.sin(angles))
    distance = np.hypot(x, y)
    assert found[distance < 0.999].all()
    assert not found[distance > 1.001].any()


def test_a_line_of_two_corners_encloses_nothing() -> None:
    assert not placing.inside(np.array([0.5]), np.array([0.5]), [0, 1], [0, 1]).any()


def test_umap_is_seeded_and_told_of_its_slow_start(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    class Fake:
        def __init__(self, **settings) -> None:
            asked.update(settings)

        def fit_transform(self, table):
            return table[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Fake))
    told: list[str] = []
    assert placing.umap(np.random.default_rng(0).normal(size=(30, 8)), seed=7, told=told.append).shape == (30, 2)
    assert (asked["random_state"], asked["n_jobs"]) == (7, 1)
    assert "half a minute" in told[0]


# ---- titles and diversity


def test_titles_are_the_words_of_a_group_without_their_particles() -> None:
    texts = [text for group in TOPICS_OF_TEXTS.values() for text in group * 4]
    made = titles(texts, np.repeat([0, 1, 2], 16))
    assert made[0].split(" · ")[0] == "배송"
    assert {"배우", "연기"} <= set(made[1].split(" · "))
    assert made[2].split(" · ")[0] == "배터리"


def test_titles_of_english_leave_out_words_that_name_nothing() -> None:
    texts = ["the guitar has new strings", "a guitar with a strap", "this washer is loud", "the washer and the dryer"] * 5
    made = titles(texts, np.array([0, 0, 1, 1] * 5))
    assert "guitar" in made[0]
    assert "washer" in made[1]
    assert not {"the", "this", "with", "has"} & set(" ".join(made).split())


def test_groups_without_words_of_their_own_still_differ_by_title() -> None:
    assert titles(["12 34", "56 78"], np.array([0, 1])) == ["group 1", "group 2"]


def test_distinct_counts_different_words_and_pairs_over_all() -> None:
    one = diversity.distinct(["a b a c"] * 400)
    assert one is not None
    assert (one.words, one.one, one.two) == (1600, 3 / 1600, 3 / 1200)
    assert diversity.distinct(["a b"] * 10) is None


def test_templates_are_openings_and_endings_of_different_texts_with_numbers_masked() -> None:
    texts = [f"What does item {row} cost in dollars today, {word}?" for row, word in enumerate(["kettle", "pump", "lamp"] * 20)]
    texts += [f"{word} stands alone here as it is {row}" for row, word in enumerate("abcdefghij" * 4)]
    found = diversity.templates(texts)
    one = next(template for template in found if template.place == "opening")
    assert one.text == "What does item 0 cost in dollars today,"
    assert one.rows == tuple(range(60))
    assert one.numbers
    assert not diversity.templates(["the same text again and again"] * 100)


def test_every_group_of_findings_belongs_to_one_topic() -> None:
    groups = [group for names in TOPICS.values() for group in names]
    assert len(groups) == len(set(groups))
    assert set(TOPICS) == {"quality", "diversity", "balance", "amount"}


# ---- vectors


def test_vectors_stand_beside_the_version_row_by_row(home) -> None:
    import pyarrow.parquet as pq

    one, which = korean(), Vectors("ngrams")
    made = embedding.ensure(one, which)
    assert made.rows.tolist() == [row for row in range(90) if row != 7]
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)
    cells = pq.read_table(vectors.path(one, which))["vector"]
    assert (len(cells), cells.null_count, cells[7].as_py()) == (90, 1, None)
    again = vectors.load(one, which)
    assert again is not None
    np.testing.assert_array_equal(again.vectors, made.vectors)
    np.testing.assert_array_equal(again.rows, made.rows)
    assert vectors.made(one) == [which]


def test_vectors_cut_in_half_are_not_read(home) -> None:
    one, which = korean(), Vectors("ngrams")
    embedding.ensure(one, which)
    place = vectors.path(one, which)
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:500])
    assert vectors.load(one, which) is None
    assert len(embedding.ensure(one, which).rows) == 89


def test_of_a_longer_table_texts_are_drawn_by_lot(home) -> None:
    one = korean()
    rows, texts = vectors.drawn(one, 30, seed=3)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) in (29, 30)
    assert rows.tolist() != vectors.drawn(one, 30, seed=4)[0].tolist()
    frame = store.frame(one)
    assert texts == frame["text"][rows].tolist()
    assert len(embedding.ensure(one, Vectors("ngrams", most=30)).rows) == len(vectors.drawn(one, 30)[0])


def test_a_question_finds_the_rows_it_is_like(home) -> None:
    one, which = korean(), Vectors("ngrams")
    made = embedding.ensure(one, which)
    found = embedding.nearest(made, embedding.question(one, which, "배터리 충전이 약해요"), 10)
    topics = store.frame(one)["topic"]
    assert {topics[row] for row, _ in found} == {"battery"}
    assert [round(value, 5) for _, value in found] == sorted((round(value, 5) for _, value in found), reverse=True)
    own = store.frame(one)["text"][5]
    row, cosine = embedding.nearest(made, embedding.question(one, which, own), 1)[0]
    assert (row, cosine) == (5, pytest.approx(1, abs=1e-4))
    assert embedding.nearest(made, embedding.question(one, which, "zzz qqq"), 1)[0][1] == 0


def test_too_few_texts_are_refused(home) -> None:
    frame = pd.DataFrame({"text": ["one text", "two texts"]})
    one = store.save("Few", frame, title="Import", roles=Roles(text=("text",)), source_hash="few")
    with pytest.raises(DataError, match="2 rows with text"):
        embedding.ensure(one, Vectors("ngrams"))
    with pytest.raises(SettingsError):
        Vectors("word2vec")


@pytest.mark.parametrize(
    ("parts", "expected"), [({"en": 99, "ko": 1}, "minilm"), ({"en": 60, "ko": 40}, "ngrams"), ({"ko": 100}, "ngrams"), ({}, "ngrams")]
)
def test_vectors_are_chosen_by_language_and_the_reason_is_told(parts: dict[str, int], expected: str, monkeypatch) -> None:
    monkeypatch.setattr(encoder, "installed", lambda: True)
    shares = tuple(language.Share(name, n, n / 100, 0, 1) for name, n in parts.items())
    kind, why = embedding.choose(language.Mix(100, 100, shares))
    assert kind == expected
    assert "English" in why
    monkeypatch.setattr(encoder, "installed", lambda: False)
    assert embedding.choose(language.Mix(100, 100, shares))[0] == "ngrams"


def test_ngrams_put_unrelated_korean_sentences_apart_and_leave_negations_together() -> None:
    """What spelling can tell and what it cannot: an unrelated sentence is far, the opposite of a sentence is near."""
    corpus = [text for pair in (*UNRELATED, *NEGATED) for text in pair] + [text for group in TOPICS_OF_TEXTS.values() for text in group]
    fitted = ngrams.fit(corpus)
    assert np.median(cosines(fitted.place, UNRELATED)) < 0.1
    assert np.median(cosines(fitted.place, NEGATED)) > 0.5


@pytest.mark.weights
def test_the_english_encoder_finds_all_korean_alike_which_is_why_it_is_not_chosen() -> None:
    if not encoder.installed():
        pytest.skip("the package with the encoder's weights is not installed")
    corpus = [text for pair in (*UNRELATED, *NEGATED) for text in pair]
    blind, fitted = encoder.encoder(), ngrams.fit(corpus)
    unrelated = np.median(cosines(blind, UNRELATED))
    assert unrelated > 0.5
    assert unrelated - np.median(cosines(fitted.place, UNRELATED)) > 0.4
    assert np.median(cosines(blind, NEGATED)) > 0.9  # nor does it see a negation


def test_unrelated_korean_reviews_are_far_from_each_other() -> None:
    texts = pd.read_csv(shared("nsmc/ratings.txt.gz"), sep="\t", nrows=2000)["document"].dropna().astype(str).tolist()
    table = embedding.unit(ngrams.fit(texts).place(texts))
    rng = np.random.default_rng(0)
    one, other = rng.permutation(len(texts)), rng.permutation(len(texts))
    assert abs(np.median((table[one] * table[other]).sum(axis=1))) < 0.1


# ---- other encoders


def test_an_encoder_without_safetensors_or_with_code_is_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="neither a folder"):
        sentences.place("nothing here")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="safetensors"):
        sentences.place(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert sentences.place(str(tmp_path))[0] == tmp_path
    (tmp_path / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    with pytest.raises(ModelError, match="code of its own"):
        sentences.place(str(tmp_path))


# ---- the job


def test_the_job_makes_vectors_and_a_map_and_does_nothing_twice(home, monkeypatch: pytest.MonkeyPatch) -> None:
    one, which = korean(), Vectors("ngrams")
    request = {"dataset": one.dataset, "version": one.id, "vectors": which.to_dict(), "groups": 3, "umap": False}
    job = jobs.start("map", request, title="Map", dataset=one.dataset)
    assert (job.state, job.error) == ("done", None)
    assert job.result == {"vectors": which.to_dict(), "texts": 89, "groups": 3}
    made = mapping.newest(one)
    assert made is not None
    topics = store.frame(one)["topic"][made.points["row"]].tolist()
    groups = pd.crosstab(made.points["group"].to_numpy(), np.array(topics))
    assert groups.max(axis=1).sum() >= 0.9 * 89, "groups are topics"
    assert "배터리" in " ".join(made.titles)
    assert not made.has_umap
    before = vectors.path(one, which).stat().st_mtime_ns
    monkeypatch.setattr(ngrams, "fit", lambda *_: pytest.fail("made twice"))
    jobs.start("map", {**request, "groups": 0}, title="Map", dataset=one.dataset)
    assert vectors.path(one, which).stat().st_mtime_ns == before
    assert mapping.newest(one).chosen


def test_a_stopped_job_leaves_no_half_a_file(home) -> None:
    one = korean()

    def stopped(done: int, total: int, message: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        embedding.ensure(one, Vectors("ngrams"), stopped)
    assert not [path.name for path in store.folder(one).iterdir() if "vectors" in path.name]


# ---- the figure and the page


def test_points_are_coloured_by_slots_and_hostile_text_stays_text() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60))
    hostile = ['<img src=x onerror="alert(1)"> <b>bold</b>'] * 60
    paint = drawing.Paint(pd.Series([f"<i>{row % 9}</i>" for row in range(60)]), "<u>kind</u>", numeric=False)
    figure = drawing.draw(x, y, hostile, paint, [(0.0, 0.0, "<a href='x'>title</a>")])
    text = figure.to_json()
    assert "<img" not in text.replace("\\u003c", "<")
    assert "<i>" not in text.replace("\\u003c", "<")
    assert figure.layout.dragmode == "lasso"
    assert {trace.type for trace in figure.data} == {"scattergl"}
    colors = {trace.marker.color for trace in figure.data}
    assert len(colors) == 7
    assert colors <= set(drawing.PALETTE)
    drawing.keep(figure, np.arange(60) < 10)
    assert sum(len(trace.selectedpoints) for trace in figure.data) == 10


def test_numbers_are_coloured_from_pale_to_dark_and_missing_ones_grey() -> None:
    values = pd.Series([*np.linspace(1, 100, 50), np.nan])
    figure = drawing.draw(np.arange(51.0), np.arange(51.0), ["text"] * 51, drawing.Paint(values, "price", True, "usd"), [])
    assert [len(trace.x) for trace in figure.data] == [1, 50]
    assert figure.data[1].marker.colorscale[0][1] == "#000012"


def app(one: Version) -> AppTest:
    at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=180)
    at.query_params["dataset"] = one.dataset
    at.query_params["explore_view"] = "Map"
    return at.switch_page("../pages/explore.py")


def said(at: AppTest) -> str:
    kinds = (at.caption, at.markdown, at.error, at.subheader, at.text)
    return " ".join(str(one.value).replace("\\", "") for kind in kinds for one in kind)


@pytest.fixture
def mapped(home, monkeypatch: pytest.MonkeyPatch) -> tuple[Version, AppTest]:
    monkeypatch.setattr(placing, "umap_installed", lambda: False)
    one = korean()
    at = app(one).run()
    assert not at.exception
    assert "Make the map" in [button.label for button in at.button]
    at.button(key="explore_map_run").click().run()
    assert not at.exception
    return one, at


def test_the_page_makes_the_map_and_tells_what_it_shows(mapped) -> None:
    _, at = mapped
    text = said(at)
    assert "89 texts" in text
    assert "Character n-grams" in text
    assert "Korean" in text
    assert [metric.label for metric in at.metric] == ["Groups", "In the five largest", "Distinct-2 of texts", "Distinct-1 of texts"]


def test_a_lasso_and_a_group_filter_the_rows(mapped) -> None:
    one, at = mapped
    made = mapping.newest(one)
    x, y = made.points["x"], made.points["y"]
    key = f"explore_map_{one.id}_ngrams_PCA_Group_0_light"
    around = {"x": [x.min() - 1, x.max() + 1, x.max() + 1, x.min() - 1], "y": [y.min() - 1, y.min() - 1, y.max() + 1, y.max() + 1]}
    at.session_state[key] = {"selection": {"points": [], "point_indices": [], "box": [], "lasso": [around]}}
    at.run()
    assert not at.exception
    at.selectbox(key=f"explore_map_group_{one.id}").select(0).run()
    assert not at.exception
    size = int((made.points["group"] == 0).sum())
    assert f"{size} of 90 rows" in said(at)


def test_search_by_meaning_answers_with_the_nearest_rows(mapped) -> None:
    one, at = mapped
    at.text_input(key=f"explore_meaning_text_{one.id}").set_value("배터리 충전")
    next(button for button in at.button if button.label == "Find").click().run()
    assert not at.exception
    table = next(frame.value for frame in at.dataframe if "similarity" in frame.value)
    assert "배터리" in table["text"].iloc[0]
    assert "a negated sentence is near" in said(at)


def test_every_colour_can_be_chosen(mapped) -> None:
    one, at = mapped
    box = at.selectbox(key=f"explore_map_colour_{one.id}")
    for option in ("topic", "price", "n_chars"):
        at.selectbox(key=box.key).set_value(option).run()
        assert not at.exception


def test_the_rows_view_makes_vectors_by_itself_and_then_searches(home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "umap_installed", lambda: False)
    one = korean()
    at = app(one)
    at.query_params["explore_view"] = "Rows"
    at.run()
    at.segmented_control(key="explore_view").set_value("Rows").run()
    assert "The texts have no vectors yet" in said(at)
    assert at.text_input(key=f"explore_meaning_text_{one.id}").disabled
    at.button(key="explore_meaning_make").click().run()
    assert not at.exception
    at.text_input(key=f"explore_meaning_text_{one.id}").set_value("배우 연기")
    next(button for button in at.button if button.label == "Find").click().run()
    assert not at.exception
    at.button(key="explore_meaning_filter").click().run()
    assert "of 90 rows" in said(at)
    assert any("배우 연기" in option.replace("\\", "") for pills in at.pills for option in pills.options)


def test_vectors_of_an_address_go_through_the_one_client() -> None:
    with Loopback(script=[busy(0), "ok"]) as server:
        found = embeddings([f"text {row}" for row in range(70)], base_url=server.url, model="small", key=KEY, sleep=lambda _: None)
    assert found.shape == (70, 3)
    assert found[:, 0].tolist() == [float(len(f"text {row}")) for row in range(70)]
    assert server.paths == ["/v1/embeddings"] * 3
    with Loopback() as server, pytest.raises(ProviderError, match="Incorrect API key") as error:
        embeddings(["text"], base_url=server.url, model="small", key="sk-wrong-000000000000")
    assert "sk-wrong" not in str(error.value)
    with Loopback(script=["malformed"] * 4) as server, pytest.raises(ProviderError, match="embeddings"):
        embeddings(["text"], base_url=server.url, model="small", key=KEY, sleep=lambda _: None)
    with pytest.raises(SettingsError, match="No model"):
        embeddings(["text"], base_url="http://127.0.0.1:9/v1", model=" ")


def test_the_script_of_the_page_makes_the_same_map(mapped, capsys: pytest.CaptureFixture[str]) -> None:
    from ui import explore_map

    one, _ = mapped
    before = mapping.newest(one)
    assert before is not None
    exec(explore_map._script(one, before), {})
    assert str(before.titles) in capsys.readouterr().out
    after = mapping.newest(one)
    assert after is not None
    pd.testing.assert_frame_equal(after.points, before.points)
    table = explore_map._points(before)
    assert table["row"].tolist() == [row + 1 for row in before.points["row"]]
    assert set(table["group"]) == set(before.titles)


@pytest.mark.browser
def test_a_person_makes_a_map_draws_around_points_and_asks(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "studio"
    monkeypatch.setenv("FINETUNE_STUDIO_HOME", str(home))
    korean(300)
    with serving(home) as address, person(address, "map") as someone:
        someone.go("/explore?dataset=korean&explore_view=Map")
        page = someone.page
        if placing.umap_installed():
            page.get_by_text("UMAP", exact=True).click()
            someone.settled()
        someone.press("Make the map")
        page.locator(".js-plotly-plot .nsewdrag").first.wait_for(state="visible", timeout=180_000)
        someone.settled()
        someone.no_errors()
        someone.accessible()
        box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
        corners = [(0.01, 0.02), (0.5, 0.02), (0.5, 0.98), (0.01, 0.98), (0.01, 0.04)]
        places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=10)
        page.mouse.up()
        someone.sees("Lasso:")
        someone.settled()
        page.get_by_role("textbox", name="Search by meaning").fill("배터리 충전")
        someone.press("Find", exact=True)
        someone.sees("Nearest rows")
        someone.no_errors()
        someone.picture()
