"""Export of Explore: the table, the columns, and the same as a command and in Python."""

from __future__ import annotations

import pandas as pd

from core.version import Version
from ui import cache
from ui.tables import downloads, same_action


def contents(version: Version) -> None:
    """What stands in the Export popover."""
    downloads(lambda: cache.frame(version.dataset, version.id), f"{version.dataset}-{version.number}", "explore_export")
    downloads(lambda: _columns(version), f"{version.dataset}-columns", "explore_export_columns")
    same_action(
        f"python -m core profile {version.id} --json",
        "from core.explore.profile import profile\nfrom core.io import store\n\n"
        f'version = store.find("{version.id}")\nreport = profile(store.frame(version), version.roles, version.task)',
    )


def _columns(version: Version) -> pd.DataFrame:
    report = cache.profile(version.dataset, version.id)
    keys = ("name", "kind", "nulls", "unique", "longest", "example")
    return pd.DataFrame([{key: getattr(one, key) for key in keys} for one in report.columns])
