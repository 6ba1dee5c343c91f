"""Imported before a child forks off: what every run of a job loads first, so that it is loaded once and not once per child."""

from core.io.judging import language
from core.io.providers.client import make_client
from core.io.tokens import counter

language("a text long enough for its language to be told, which loads the model of languages")
counter()(["a text"])
make_client("http://127.0.0.1:9/v1", "none").chat.completions.with_raw_response  # noqa: B018
