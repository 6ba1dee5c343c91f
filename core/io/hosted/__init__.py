"""Fine-tuning at a host of the platform's protocol: files, jobs, events, checkpoints, results; `job` is the long work people start."""

from core.io.hosted.calls import Tuning, read_results
from core.io.hosted.following import appeared, follow, line, succeeded
from core.io.hosted.job import LIMIT, run_hosted, title_of

__all__ = ["LIMIT", "Tuning", "appeared", "follow", "line", "read_results", "run_hosted", "succeeded", "title_of"]
