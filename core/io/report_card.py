"""The report card of one augmentation: variety before and after, acceptance by gate, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from core.augment.decisions import kept
from core.augment.report import Report
from core.augment.requests import compared as compared_column
from core.augment.variety import Compared, Encode, compared
from core.io import batches, encoder, store, written
from core.io.batches import Batch
from core.io.languages import identify
from core.version import Version

SAMPLE = 200
"""Originals whose language is looked at before an encoder is asked."""


@dataclass(frozen=True)
class Card:
    """What came of it, in numbers."""

    report: Report
    """Acceptance by gate."""
    variety: Compared
    """Of the train texts the variants are compared with, without and with what is kept."""
    kept: int
    """Variants that are kept, after every decision."""
    requests: int
    """Replies that came, those that were put aside among them; 0 by hand."""
    tokens_in: int
    tokens_out: int
    usd: float | None
    """None when no price is known."""
    unsure: float
    """USD that may have been charged for requests without a reply."""
    estimated: bool
    """Whether any usage was counted here because the endpoint reported none: tokens and USD are estimates then."""

    @property
    def usd_per_kept(self) -> float | None:
        """USD per variant that is kept; None without a price or a variant."""
        return None if self.usd is None or not self.kept else self.usd / self.kept


def report_card(version: Version, one: Batch, *, meaning: bool = False) -> Card:
    """Of everything that came so far. With `meaning` the spread is measured by the English encoder where the texts are English (about
    10 s, 300 texts each time); otherwise, and for other languages, by spelling."""
    asks, frame, judge = batches.judged(version, one)
    shown, told = batches.as_decided(asks, frame, judge, one)
    texts = originals(version, one)
    found = written.standing(one.folder)
    accepted = kept(shown)["variant"].tolist()
    variety = compared(texts, accepted, encode=_encoder(texts) if meaning else None, seed=one.settings.seed)
    usd = found.usd if found.replies else 0.0
    return Card(told, variety, len(accepted), found.replies, found.tokens_in, found.tokens_out, usd, found.unsure, found.estimated)


def originals(version: Version, one: Batch) -> list[str]:
    """The train texts the variants are compared with; none where their column is yet to be written."""
    column = compared_column(one.settings, version.roles)
    if column not in version.columns:
        return []
    return [str(cell) for cell in store.frame(version, [column], "train")[column].tolist() if cell is not None and cell == cell]


def _encoder(texts: list[str]) -> Encode | None:
    """The English encoder where nearly all texts are English."""
    some = [text for text in texts[:: max(1, len(texts) // SAMPLE)] if sum(map(str.isalpha, text)) >= 20][:SAMPLE]
    english = sum(identify(text)[0] == "en" for text in some)
    if not some or english < 0.9 * len(some) or not encoder.installed():
        return None
    return encoder.encoder()
