"""The process's one DuckDB for questions about versions: it holds no data, only settings.

A cursor for each question, stopped after 5 s unless more is asked for. Its temporary files lie in the workspace.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import StudioError
from core.io import files

if TYPE_CHECKING:
    import duckdb

SECONDS = 5.0


@contextmanager
def asking(seconds: float | None = SECONDS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor for one question; None lets it run to its end (jobs, and what is written once)."""
    with _connection(str(files.home())).cursor() as cursor:
        if seconds is None:
            yield cursor
        else:
            with limited(cursor, seconds):
                yield cursor


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, seconds: float = SECONDS) -> Iterator[None]:
    """Interrupts what runs on the connection after so many seconds and says what to do."""
    import duckdb

    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise StudioError(
            f"The question took longer than {seconds:.0f} s and was stopped. Filter first, ask for fewer columns, or ask on Curate, where "
            "a step runs as long as it takes.",
            title="That takes too long",
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise StudioError(
            "The question needs more than 512 MB of memory. Filter first, or ask for fewer columns.", title="That takes too much memory"
        ) from error
    finally:
        timer.cancel()


def quoted(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A text or a path as SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def one(cursor: Any) -> tuple[Any, ...]:
    """The only row of an answer."""
    return cursor.fetchall()[0]


@lru_cache(maxsize=2)
def _connection(home: str) -> duckdb.DuckDBPyConnection:
    import atexit

    import duckdb

    connection = duckdb.connect(":memory:")
    spill = Path(home) / "tmp"
    spill.mkdir(parents=True, exist_ok=True)
    connection.execute(f"SET temp_directory={literal(spill)}; SET memory_limit='512MB'; SET threads=2; SET enable_progress_bar=false")
    connection.execute("SET autoinstall_known_extensions=false; SET autoload_known_extensions=false; SET python_enable_replacements=false")
    connection.execute("SET preserve_insertion_order=true")
    atexit.register(connection.close)
    return connection
