"""Training adapters on this machine: `training` trains, `checkpoints` and `runs` keep, `job` is the long work people start.

`bases` are the models adapters are trained on, `measuring` asks test rows. Importing it imports neither torch nor peft.
"""

from core.io.lora.job import keep, run_finetune
from core.io.lora.measuring import LIMIT, measure_adapter
from core.io.lora.preparing import Prepared, prepare, prompt_of, sample
from core.io.lora.runs import Adapter, adapter, adapters, delete, history, last_step, referred, thinned

__all__ = ["LIMIT", "Adapter", "Prepared", "adapter", "adapters", "delete", "history", "keep", "last_step", "measure_adapter", "prepare",
           "prompt_of", "referred", "run_finetune", "sample", "thinned"]  # fmt: skip
