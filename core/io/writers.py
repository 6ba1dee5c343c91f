"""Who writes: a chat by hand, the built-in model, or a hosted one, one request at a time or as a batch; saved without any key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.io import providers


@dataclass(frozen=True)
class Writer:
    """Who writes, as it is saved: never with a key."""

    name: str = "embedded"
    """A name in PROVIDERS, or "hand"."""
    model: str = ""
    base_url: str = ""
    parallel: int = 8
    rates: tuple[float, float] | None = None
    """USD per million tokens in and out, where the price table does not know the model."""
    batch: bool = False
    """Everything in one batch that is answered within a day, at half the price, where the provider offers it."""

    @property
    def label(self) -> str:
        """As the version's history names it."""
        return "by hand" if self.name == "hand" else self.model or providers.entry(self.name).title

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Writer:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, "rates": tuple(known["rates"]) if known.get("rates") else None})

    def connect(self, **more: Any) -> Any:
        """The provider; `more` are key, environment, budget or engine."""
        settings = {name: value for name, value in self.to_dict().items() if name not in ("name", "batch") and value}
        return providers.connect(self.name, **settings, **more)

    def known_rates(self) -> tuple[float, float] | None:
        """USD per million tokens in and out, one request at a time; None when nobody knows."""
        if self.name in ("embedded", "hand"):
            return (0.0, 0.0)
        if self.rates:
            return self.rates
        from core.io.providers.addresses import clean_url, is_loopback
        from core.io.providers.hosted import published_rates

        if self.name == "openai":
            return published_rates(self.model)
        return (0.0, 0.0) if self.base_url and is_loopback(clean_url(self.base_url)) else None

    def batch_rates(self) -> tuple[float, float] | None:
        """The same for a batch; None where there is none, or nobody knows."""
        if self.name != "openai":
            known = self.known_rates() if self.batch else None
            return None if known is None else (known[0] / 2, known[1] / 2)
        if self.rates:
            return (self.rates[0] / 2, self.rates[1] / 2)
        from core.io.pricing import asking

        price = asking(self.model)
        return None if price is None else (price.batch_input, price.batch_output)
