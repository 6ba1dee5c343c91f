"""GET /v1/models, GET and DELETE /v1/models/{model}: what is there, what can be asked of it, and when it shuts down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.platform.faults import Fault, RefusedError

if TYPE_CHECKING:
    from tests.platform.server import Call, Platform


@dataclass(frozen=True)
class Model:
    """One model; `kind` is chat | reasoning | completion | embedding | any."""

    id: str
    kind: str = "chat"
    owned_by: str = "system"
    shutdown_date: str | None = None
    schemas: bool = True
    """Whether it takes a response_format of json_schema."""

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "object": "model", "created": 1_700_000_000, "owned_by": self.owned_by, "shutdown_date": self.shutdown_date}


KNOWN = (
    Model("gpt-4o-mini-2024-07-18", shutdown_date="2027-01-14"),
    Model("gpt-4.1-mini-2025-04-14", shutdown_date="2027-01-14"),
    Model("gpt-4.1-2025-04-14", shutdown_date="2027-01-14"),
    Model("gpt-4o-2024-08-06", shutdown_date="2027-01-14"),
    Model("gpt-4o-mini"),
    Model("gpt-3.5-turbo", schemas=False),
    Model("gpt-5-mini", "reasoning"),
    Model("babbage-002", "completion", shutdown_date="2026-10-23"),
    Model("text-embedding-3-small", "embedding"),
    Model("ft:gpt-4o-mini-2024-07-18:org::abc123", owned_by="org", shutdown_date="2027-01-14"),
)


class Models:
    """Those that are there."""

    def __init__(self) -> None:
        self.there: dict[str, Model] = {model.id: model for model in KNOWN}
        self.hidden: dict[str, int] = {}
        """Models that are not found so many times more."""
        self.taught: dict[str, dict[str, str]] = {}
        """What a fine-tuned model was taught: question -> answer."""

    def make(self, model: Model, hidden: int, taught: dict[str, str]) -> None:
        """A model that a job brought about."""
        self.there[model.id] = model
        self.hidden[model.id] = hidden
        self.taught[model.id] = taught

    def find(self, name: str, use: str = "") -> Model:
        """The model, when it can be used for `use`. Raises RefusedError otherwise."""
        model = self.there.get(name)
        if model is not None and self.hidden.get(name, 0):
            self.hidden[name] -= 1
            model = None
        if model is None:
            raise RefusedError(Fault(404, f"The model `{name}` does not exist or you do not have access to it.", "invalid_request_error",
                                     "model_not_found"))  # fmt: skip
        able = {"chat": ("chat", "reasoning", "any"), "embedding": ("embedding", "any"), "completion": ("completion", "any")}
        if use and model.kind not in able[use]:
            status, path = (404, "v1/chat/completions") if use == "chat" else (403 if use == "embedding" else 404, f"v1/{use}s")
            raise RefusedError(
                Fault(status, f"This model is not supported in the {path} endpoint.", "invalid_request_error", None, "model")
            )
        return model


def every(platform: Platform, call: Call) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [model.to_dict() for model in platform.models.there.values() if not platform.models.hidden.get(model.id)],
    }


def one(platform: Platform, call: Call, name: str) -> dict[str, Any]:
    return platform.models.find(name).to_dict()


def delete(platform: Platform, call: Call, name: str) -> dict[str, Any]:
    """Only a fine-tuned model of one's own can go."""
    if platform.models.find(name).owned_by == "system":
        raise RefusedError(Fault(403, "You have insufficient permissions for this operation. You can only delete fine-tuned models of your "
                                 "organization.", "invalid_request_error", "insufficient_permissions"))  # fmt: skip
    del platform.models.there[name]
    return {"id": name, "object": "model", "deleted": True}


ROUTES = [("GET", "/v1/models", every), ("GET", r"/v1/models/([^/]+)", one), ("DELETE", r"/v1/models/([^/]+)", delete)]
