"""A recipe as YAML, and as Python that makes the same version.

    seed: 0
    steps:
    - name: range
      settings: {column: price, low: 0.5, high: 999.49}
      on: true              # may be left out

Settings that are not named have their recommended values.
"""

from __future__ import annotations

from typing import Any

from core.curate.recipe import Recipe
from core.curate.steps import kind, settings_of
from core.errors import SettingsError, StudioError
from core.version import Step, Version

LONGEST = 1_000_000
"""Characters a recipe may have."""


def to_yaml(recipe: Recipe) -> str:
    """The recipe with every setting that differs from its recommended value."""
    import yaml

    steps = []
    for step in recipe.steps:
        entry: dict[str, Any] = {"name": step.name, "settings": _told(step)}
        steps.append(entry if step.on else {**entry, "on": False})
    text = yaml.safe_dump({"seed": recipe.seed, "steps": steps}, sort_keys=False, allow_unicode=True, width=120)
    return "# A recipe of Finetune Studio\n" + text


def from_yaml(text: str) -> Recipe:
    """The recipe a YAML text describes. Raises SettingsError naming the line, the step and what is possible."""
    import yaml

    if len(text) > LONGEST:
        raise SettingsError(f"{len(text):,} characters; a recipe has at most {LONGEST:,}.", title="That is no recipe")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise SettingsError("It uses * references, which a recipe does not need. Write the values out.", title="That is no recipe")
        root = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"Line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SettingsError(f"{where}{problem}. A recipe is YAML with `seed` and `steps`.", title="That is not YAML") from error
    lines = _lines(root)
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        raise SettingsError("Line 1: a recipe has a list `steps`, and may have a `seed`.", title="That is no recipe")
    if unknown := [name for name in data if name not in ("seed", "steps")]:
        raise SettingsError(f"A recipe has no part '{unknown[0]}'; it has `seed` and `steps`.", title="Unknown part")
    seed = data.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingsError(f"The seed is {seed!r}; a whole number from 0 on is expected.", title="That seed is not possible")
    return Recipe(tuple(_step(number, entry, lines) for number, entry in enumerate(data["steps"], start=1)), seed)


def lines_of(text: str) -> list[int]:
    """The line each step of a readable recipe begins on, from 1; for `core.curate.checking`."""
    import yaml

    return _lines(yaml.compose(text, yaml.SafeLoader))


def _step(number: int, entry: Any, lines: list[int]) -> Step:
    where = f"Line {lines[number - 1]}, step {number}" if number <= len(lines) else f"Step {number}"
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise SettingsError(f"{where}: a step has a `name`, and may have `settings` and `on`.", title="That is no step")
    entry = {"on" if name is True else name: value for name, value in entry.items()}  # YAML 1.1 reads a bare `on` as true
    if unknown := [name for name in entry if name not in ("name", "settings", "on")]:
        raise SettingsError(f"{where}: a step has no part '{unknown[0]}'; it has `name`, `settings` and `on`.", title="Unknown part")
    name, on, settings = entry["name"], entry.get("on", True), entry.get("settings") or {}
    try:
        if not isinstance(on, bool) or not isinstance(settings, dict):
            raise SettingsError("`on` is true or false and `settings` are names with values.", title="That is no step")
        return Step(name, kind(name).settings.from_dict(settings).to_dict(), on, kind(name).revision)
    except StudioError as error:
        raise SettingsError(f"{where} ({name}): {error}", title=error.title) from error


def _lines(root: Any) -> list[int]:
    """The line each step begins on, from 1."""
    for key, value in getattr(root, "value", None) or []:
        if getattr(key, "value", None) == "steps" and isinstance(value.value, list):
            return [node.start_mark.line + 1 for node in value.value]
    return []


def _told(step: Step) -> dict[str, Any]:
    """The settings that differ from the recommended ones."""
    usual = kind(step.name).settings().to_dict()
    return {name: value for name, value in settings_of(step).to_dict().items() if value != usual[name]}


def as_python(recipe: Recipe, version: Version, made: str) -> str:
    """A script that saves the same version: the id it prints is `made` wherever the version it starts from is the same."""
    steps = "".join(
        f"            make({step.name!r}{''.join(f', {name}={value!r}' for name, value in _told(step).items())}),\n" for step in recipe.on
    )
    return (
        "from core.curate.recipe import Recipe\n"
        "from core.curate.steps import make\n"
        "from core.io import curating, store\n\n"
        'if __name__ == "__main__":\n'
        f"    version = store.version({version.dataset!r}, {version.id!r})\n"
        f"    recipe = Recipe(\n        steps=(\n{steps}        ),\n        seed={recipe.seed},\n    )\n"
        "    saved = curating.save(version, recipe)\n"
        f"    print(saved.id)  # {made}\n"
    )
