"""Training adapters on this machine: `training` trains, `checkpoints` and `runs` keep, `job` is the long work people start.

Importing it imports neither torch nor peft.
"""

from core.io.lora.job import LIMIT, Prepared, keep, measure_adapter, prepare, prompt_of, run_finetune, sample
from core.io.lora.runs import Adapter, adapter, adapters, delete, history, last_step, thinned

__all__ = ["LIMIT", "Adapter", "Prepared", "adapter", "adapters", "delete", "history", "keep", "last_step", "measure_adapter", "prepare",
           "prompt_of", "run_finetune", "sample", "thinned"]  # fmt: skip
