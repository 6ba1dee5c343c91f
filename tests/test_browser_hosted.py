"""A hosted fine-tune walked in a real browser against the platform's double: chosen, priced, started, watched, measured, compared."""

from __future__ import annotations

import pytest

from core.io import evaluations, jobs, pricing
from tests import doubles
from tests.browser import chromium, person, serving
from tests.platform import KEY, Platform
from tests.test_hosted_job import RATES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_run_at_a_host_from_the_form_to_the_comparison(home, monkeypatch):
    chromium()
    from playwright.sync_api import expect

    pricing.save([RATES])
    version = doubles.version("classification", 150, label="Grade it")
    with Platform() as server:
        server.jobs.per_look, server.answer = 400, lambda messages: "Answer: good"
        keys = {"FINETUNE_STUDIO_COMPATIBLE_URL": server.url, "FINETUNE_STUDIO_COMPATIBLE_KEY": KEY, "OPENAI_API_KEY": ""}
        with serving(home, **keys) as address, person(address, "hosted") as me:
            me.go("/finetune")
            me.sees("OpenAI stops creating fine-tuning jobs")
            me.page.get_by_role("radio", name="Provider").click()
            me.settled()
            me.sees("Choose a model")
            me.press("Ask which there are", exact=True)
            me.page.get_by_role("textbox", name="Suffix").fill("grades")
            me.page.keyboard.press("Tab")
            me.settled()
            me.page.get_by_role("spinbutton", name="Epochs").fill("3")
            me.page.keyboard.press("Tab")
            me.settled()
            me.sees("Within the budget")
            me.accessible()
            me.picture()
            me.page.get_by_role("button", name="Upload and train for").click()
            me.sees("Stop watching")
            me.sees("is ready", 200)
            me.settled()
            me.sees("on 30 test rows")
            expect(me.page.get_by_text("succeeded").first).to_be_visible()
            me.picture()
            me.no_errors()
            me.accessible()
            me.press("Open the comparison")
            me.sees("gpt-4o-mini grades fine-tuned")
            me.no_errors()
        [job] = jobs.all_jobs(kind="hosted")
        assert (job.state, len(server.jobs.there)) == ("done", 1)
        assert sorted(one.title for one in evaluations.of(version.dataset)) == ["gpt-4o-mini grades fine-tuned", "gpt-4o-mini prompted"]
