"""The SQL box: one SELECT over one version, and nothing else of the machine.

The settings close the file system but for the version's files, and lock themselves. COPY to an allowed path would pass
them, so the statement is parsed first and has to be one SELECT; functions that tell about the machine are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import StudioError
from core.io import database, files, numbers, store
from core.version import Version

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

ROWS = 1000
_CLOSED = re.compile(
    r"\b(duckdb_\w+|pragma_\w+|pg_catalog|information_schema|(?:current_setting|getenv|which_secret|query|query_table)(?=\"?\s*\())", re.I
)
_QUIET = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.S)


@dataclass(frozen=True)
class Answer:
    frame: pd.DataFrame
    cut: bool
    """Whether there were more than ROWS rows."""


def select(version: Version, text: str, seconds: float = database.SECONDS) -> Answer:
    """The first 1,000 rows of a SELECT over the view `data` (and `numbers`: n_chars, n_tokens, target, row by row).

    Raises StudioError for anything but one SELECT, for what the database cannot do, and after `seconds`.
    """
    import duckdb
    import pandas as pd

    connection = duckdb.connect(":memory:")
    try:
        statement = _one_select(connection, text)
        _close(connection, version)
        with database.limited(connection, seconds):
            cursor = connection.execute(statement)
            found = cursor.fetchmany(ROWS + 1)
            names = [name for name, *_ in cursor.description or []]
    except duckdb.Error as error:
        raise StudioError(f"{str(error).splitlines()[0][:400]}", title="The database cannot do that") from error
    finally:
        connection.close()
    frame = pd.DataFrame(found[:ROWS], columns=pd.Index(_unique(names)))
    return Answer(frame, len(found) > ROWS)


def _one_select(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    import duckdb

    hidden = _CLOSED.search(_QUIET.sub(" ", text))
    if hidden:
        raise StudioError(
            f"'{hidden.group(1)}' tells about the database and not about the rows; it is not open here.", title="Only the rows can be asked"
        )
    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(str(one.type).rsplit(".", 1)[-1] for one in statements) or "nothing"
        raise StudioError(
            f"This is {kinds}; one SELECT is needed, such as: SELECT * FROM data LIMIT 10. The table is never changed here.",
            title="Only one SELECT",
        )
    return statements[0].query


def _close(connection: duckdb.DuckDBPyConnection, version: Version) -> None:
    """Views over the version's files, then every door shut and the settings locked."""
    data, beside = store.data_path(version), numbers.ensure(version)
    allowed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in (data, beside))
    spill = str(files.folder("tmp")).replace("'", "''")
    connection.execute(f"SET allowed_paths=[{allowed}]; SET temp_directory='{spill}'; SET enable_progress_bar=false")
    connection.execute(
        "SET enable_external_access=false; SET autoinstall_known_extensions=false; SET autoload_known_extensions=false;"
        "SET allow_community_extensions=false; SET python_enable_replacements=false; SET memory_limit='512MB'; SET threads=2;"
        "SET lock_configuration=true"
    )
    for name, path in (("data", data), ("numbers", beside)):
        place = str(path).replace("'", "''")
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{place}')")


def _unique(names: list[str]) -> list[str]:
    from core.load.delimited import names as each_once

    return list(each_once(names))
