"""Fine-tuning at a host of the platform's protocol: files, jobs, events, checkpoints, results."""

from core.io.hosted.calls import Tuning, read_results
from core.io.hosted.following import appeared, follow, line, succeeded

__all__ = ["Tuning", "appeared", "follow", "line", "read_results", "succeeded"]
