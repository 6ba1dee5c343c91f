"""What may be shown to a person when something goes wrong.

A `StudioError` says what happened (with the values and the place), what was expected, and what to do.
Anything else that is raised is a bug and must surface as one.
"""


class StudioError(Exception):
    """May be shown to the person as it is.

    `title` is the headline (what happened, few words); the message carries values, what was expected and what to do.
    """

    def __init__(self, message: str, *, title: str = "That did not work") -> None:
        super().__init__(message)
        self.title = title


class DataError(StudioError):
    """A file, a table or a column is not what it has to be."""


class SettingsError(StudioError):
    """A setting has a value it cannot have."""


class MissingError(StudioError):
    """Something named (a version, a job, a model, a wheel) is not there."""


class ModelError(StudioError):
    """A model could not be loaded, trained or asked."""


class ProviderError(StudioError):
    """An endpoint refused, failed, or answered with something unreadable."""


class Paused(ProviderError):
    """An endpoint cannot go on now, although nothing about the request is wrong: what arrived is kept, and the same run resumes.

    `reason` is failing | busy | stalled | no credit; `wait` the seconds the endpoint asks for, when it names them.
    """

    def __init__(self, message: str, *, title: str, reason: str = "failing", wait: float | None = None) -> None:
        super().__init__(message, title=title)
        self.reason, self.wait = reason, wait


class Stopped(StudioError):
    """The person stopped the work; what was finished is kept."""

    def __init__(self, message: str = "Stopped. What was finished is kept.") -> None:
        super().__init__(message, title="Stopped")
