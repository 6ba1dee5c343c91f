"""A person with a broken training file: every kind of fix is pressed, and what is downloaded passes every check."""

from __future__ import annotations

import json
from pathlib import Path

from core.validate.reading import read_training
from core.validate.report import report
from tests.browser import person, serving
from tests.test_validate import good, jsonl, line, words

FIXES = ("unreadable_line", "mixed_formats", "message_unrecognized_key", "unrecognized_role", "last_message_not_assistant",
         "answer_without_information", "leak", "special_token", "roles_out_of_order", "duplicate_example", "email")  # fmt: skip


def broken() -> bytes:
    """A file with one finding of each kind of fix."""
    rows = [
        {"instruction": "What is the alpaca worth?", "input": "", "output": "Price is $34"},
        line("q1 thing", "Price is $4", mood="good"),
        {"messages": [{"role": "Human", "content": "q2 thing"}, {"role": "gpt", "content": "Price is $8"}]},
        {"messages": [*line("q3 thing", "Price is $7")["messages"], {"role": "user", "content": "thanks"}]},
        line("q4 thing", "Price is $"),
        line("q5 thing <|end|>", "Price is $9"),
        {
            "messages": [
                {"role": "user", "content": "q6"},
                {"role": "user", "content": "thing"},
                {"role": "assistant", "content": "Price is $5"},
            ]
        },
        *good(60)[7:8],
        line("write to kim@example.com", "Price is $11"),
    ]
    return jsonl(good()) + b"{broken\n" + jsonl(rows)


def test_a_broken_file_is_mended_and_downloaded(tmp_path: Path) -> None:
    file, other = tmp_path / "broken.jsonl", tmp_path / "validation.jsonl"
    file.write_bytes(broken())
    other.write_bytes(jsonl(good(2)))
    with serving(tmp_path / "studio") as address, person(address, "validate") as who:
        who.go("/validate?validate_view=A+file")
        who.page.locator("input[type=file]").first.set_input_files(file)
        who.sees("Mixed: 68 Chat, 1 Alpaca")
        who.page.get_by_text("Compare with a validation or test file").first.click()
        who.page.locator("input[type=file]").nth(1).set_input_files(other)
        who.sees("2 examples are also in the validation or test rows")
        who.picture()
        who.page.locator(".st-key-validate_rows_special_token button").first.click()
        who.sees("The platform says: Invalid file format. Example 67 message contains an invalid token: <|end|>.")
        who.sees("1 of 69 examples")
        for name in FIXES:
            fix = who.page.locator(f".st-key-validate_fix_{name} button").first
            fix.click()
            apply = who.page.locator(".st-key-validate_apply button").first
            apply.wait_for(state="visible")
            apply.click()
            fix.wait_for(state="detached")
            who.no_errors()
        who.sees("11 fixes applied")
        who.picture()
        who.accessible()
        with who.page.expect_download() as download:
            who.press("Download training file")
        mended = Path(download.value.path()).read_bytes()
    made = report(read_training("mended.jsonl", mended), words, others=[good(2)])
    assert made.worst == "PASS"
    assert made.examples == 65
    assert json.loads(mended.splitlines()[-1])["messages"][0]["content"] == "write to [e-mail]"
