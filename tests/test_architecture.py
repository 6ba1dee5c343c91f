"""The house rules, read from the source itself: who may import whom, what pure code may not do, what imports may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("load", "explore", "curate", "augment", "validate", "predict", "evaluate", "finetune", "compare")
OUTSIDE = {"streamlit", "openai", "torch", "requests", "subprocess", "socket", "duckdb", "httpx", "httpx2", "urllib"}
HEAVY = {
    "torch",
    "transformers",
    "peft",
    "trl",
    "gensim",
    "sklearn",
    "scipy",
    "openai",
    "datasets",
    "bitsandbytes",
    "sentence_transformers",
}
DISK = {
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "mkdir",
    "unlink",
    "rename",
    "touch",
    "rmdir",
    "iterdir",
    "glob",
    "rglob",
    "exists",
    "stat",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*names: str) -> list[Path]:
    return sorted(path for name in names for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py")))


def imports(path: Path, top_only: bool = False) -> set[str]:
    """Dotted names a file imports; with `top_only` those that run when it is imported."""
    found: set[str] = set()
    nodes = _top(tree(path).body) if top_only else ast.walk(tree(path))
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _top(body: list[ast.stmt]):
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _top(node.body)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node


def pure() -> list[Path]:
    return [p for p in sources("core") if "io" not in p.relative_to(ROOT / "core").parts and p.name != "__main__.py"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_card_entries_stand():
    for entry in ("streamlit_app.py", "pages", "core", "tests", "requirements.txt", "README.md"):
        assert (ROOT / entry).exists(), entry
    assert {p.stem for p in (ROOT / "pages").glob("*.py")} == {
        "home", "explore", "curate", "augment", "validate", "baselines", "finetune", "compare", "settings",
    }  # fmt: skip


@pytest.mark.parametrize("path", pure(), ids=name)
def test_pure_modules_import_nothing_from_outside(path):
    roots = {one.split(".")[0] for one in imports(path)}
    assert not roots & OUTSIDE
    assert not roots & {"ui", "pages"}
    assert not {one for one in imports(path) if one == "core.io" or one.startswith("core.io.")}


@pytest.mark.parametrize("path", pure(), ids=name)
def test_pure_modules_do_nothing_to_the_world(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("open", "input", "print"), f"line {node.lineno} calls {called}"
            assert not called.startswith("time."), f"line {node.lineno} reads the clock"
            assert called not in ("datetime.now", "date.today"), f"line {node.lineno} reads the clock"
            if called.startswith(("Path(", "path.")) or ".parent" in called:
                assert called.rsplit(".", 1)[-1] not in DISK, f"line {node.lineno} touches the disk"
        assert not (isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ"), f"line {node.lineno} reads the environment"


@pytest.mark.parametrize("path", pure(), ids=name)
def test_pure_modules_keep_no_global_state(path):
    """Registries are literals; nothing at module level is changed by a function."""
    for node in ast.walk(tree(path)):
        assert not isinstance(node, ast.Global), f"line {node.lineno}"
    assert not any("lru_cache" in ast.unparse(d) for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef) for d in n.decorator_list)


def test_the_nouns_know_no_verbs():
    """errors <- task, prompt, version <- load ... finetune <- compare."""
    nouns = [p for p in (ROOT / "core").glob("*.py") if p.name != "__main__.py"]
    for path in nouns:
        assert not {
            one for one in imports(path) if one.split(".")[1:2] and one.split(".")[0] == "core" and one.split(".")[1] in PACKAGES
        }, name(path)
    for package in PACKAGES:
        for path in sources(f"core/{package}"):
            if package != "compare":
                assert not {one for one in imports(path) if one.startswith("core.compare")}, name(path)


def test_only_pages_and_ui_import_streamlit():
    for path in sources("core"):
        assert "streamlit" not in {one.split(".")[0] for one in imports(path)}, name(path)


def test_pages_never_import_pages():
    for path in sources("pages", "ui"):
        assert not {one for one in imports(path) if one.split(".")[0] == "pages"}, name(path)


@pytest.mark.parametrize("path", sources("core", "ui"), ids=name)
def test_heavy_packages_are_imported_where_they_are_needed(path):
    assert not {one.split(".")[0] for one in imports(path, top_only=True)} & HEAVY


def test_importing_every_module_loads_no_heavy_package():
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in sources("core", "ui")]
    names = [one for one in names if one not in ("ui.frame", "core.__main__")]
    code = f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\nprint(sorted(set(sys.modules) & {HEAVY!r}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert out.stdout.strip().splitlines()[-1] == "[]"


def test_importing_core_imports_nothing():
    code = "import sys; before = set(sys.modules); import core; print(sorted(m for m in set(sys.modules) - before if m != 'core'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sources("core", "ui", "pages", "benchmarks"), ids=name)
def test_files_stay_short_and_say_what_they_are(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (150 if path.parent.name == "pages" else 300), f"{len(lines)} lines: split it by idea"
    assert ast.get_docstring(tree(path)) or not lines, "a file opens with what it is"


def test_no_file_is_a_drawer():
    for path in sources("core", "ui", "pages", "tests"):
        assert path.stem not in ("utils", "helpers", "common", "manager", "base", "misc"), name(path)


@pytest.mark.parametrize("path", sources("pages", "ui"), ids=name)
def test_no_page_writes_html_or_colours(path):
    text = path.read_text(encoding="utf-8")
    assert "unsafe_allow_html" not in text
    assert "st.html(" not in text
    if path.name != "charts.py":
        found = [n.value for n in ast.walk(tree(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str) and _is_hex(n.value)]
        assert not found, f"colours stand in ui/charts.py: {found}"


def _is_hex(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])


@pytest.mark.parametrize("path", sources("core", "ui", "pages"), ids=name)
def test_no_pickle_is_read(path):
    text = path.read_text(encoding="utf-8")
    assert "pickle.load" not in text
    assert "torch.load(" not in text
    assert "trust_remote_code=True" not in text
