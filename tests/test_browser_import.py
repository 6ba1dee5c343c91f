"""A folder of this machine becomes a dataset by a real job, watched in a real Chromium; its rejects are found again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.io import store
from tests.browser import chromium, person, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_a_folder_of_parts_is_imported_by_a_job_and_its_rejects_can_be_downloaded(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chromium()
    monkeypatch.delenv("FINETUNE_STUDIO_JOBS")
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("a", "b"):
        lines = [f"a review about thing number {i} of {name},{1 + i % 5}" for i in range(50)]
        (folder / f"{name}.csv").write_text("text,stars\n" + "\n".join([*lines, f"odd,2,{name}"]) + "\n")
    with serving(home) as address, person(address, "folder") as me:
        me.go("/explore?explore_add=1")
        me.page.get_by_text("This machine", exact=True).first.click()
        me.settled()
        field = me.page.get_by_label("Path of a file or folder on this machine")
        field.fill(str(folder))
        field.press("Enter")
        me.settled()
        me.sees("2 lines left out")
        me.accessible()
        me.picture()
        me.page.locator(".st-key-explore_add_run button").click()
        me.sees("What should be predicted?", 120)
        me.settled(120)
        me.page.get_by_text("Where it came from").first.click()
        me.settled()
        me.no_errors()
        me.picture()
        with me.page.expect_download() as coming:
            me.page.locator("[class*=st-key-explore_rejects_down] button").first.click()
        rejects = pd.read_csv(coming.value.path())
    (made,) = store.datasets()
    assert (made.versions[0].rows, made.versions[0].source["rejected"]) == (100, 2)
    assert rejects[["file", "line", "text"]].to_numpy().tolist() == [["a.csv", 52, "odd,2,a"], ["b.csv", 52, "odd,2,b"]]
