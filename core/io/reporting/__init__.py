"""A run's curves told elsewhere: TensorBoard event files, or a run on Weights & Biases; while it trains, and afterwards."""

from core.io.reporting.sending import KINDS, TITLES, Live, Sent, check, live, reporter, run_report, sent, sync

__all__ = ["KINDS", "TITLES", "Live", "Sent", "check", "live", "reporter", "run_report", "sent", "sync"]
