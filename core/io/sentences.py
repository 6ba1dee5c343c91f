"""A sentence encoder named by a person: a repository of the Hugging Face Hub, or a folder of this machine.

Only weights in safetensors are loaded, and no code that comes with a model is run. A repository is taken at one commit, which
is remembered beside the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.io import files

if TYPE_CHECKING:
    import numpy as np

PROPOSED = "intfloat/multilingual-e5-small"
"""A multilingual encoder that is small enough for a processor (471 MB)."""
BATCH = 32
_WANTED = ("*.json", "*.txt", "*.model", "*.safetensors")
_CODE = ("auto_map", "trust_remote_code", "custom_pipelines")


def place(name: str) -> tuple[Path, str]:
    """(folder, revision) of a local folder (revision "") or a repository, fetched when it is not here yet. Raises ModelError."""
    local = Path(name.strip()).expanduser()
    if local.is_dir():
        return _checked(local, name), ""
    if local.is_absolute() or name.count("/") != 1:
        raise ModelError(f"'{name[:80]}' is neither a folder of this machine nor a repository. One looks like {PROPOSED}.",
                         title="No such encoder")  # fmt: skip
    from huggingface_hub import snapshot_download

    try:
        found = Path(snapshot_download(name.strip(), allow_patterns=list(_WANTED)))
    except Exception as error:
        words = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelError(f"{name[:80]} cannot be fetched from the Hugging Face Hub: {words}. Check the name and the connection, or give "
                         "the folder of a model that is on this machine.", title="The encoder cannot be fetched") from error  # fmt: skip
    return _checked(found, name), found.name


def _checked(folder: Path, name: str) -> Path:
    if not (folder / "config.json").exists() or not any(folder.glob("*.safetensors")):
        raise ModelError(f"{name[:80]} has no config.json with weights in safetensors. Choose a model that has, such as {PROPOSED}.",
                         title="That is no encoder")  # fmt: skip
    for config in ("config.json", "modules.json", "tokenizer_config.json"):
        found = files.read_json(folder / config) if (folder / config).exists() else {}
        if isinstance(found, dict) and any(found.get(key) for key in _CODE):
            raise ModelError(f"{config} of {name[:80]} asks for code of its own to be run, which the studio never does. Choose another.",
                             title="The model brings code")  # fmt: skip
    return folder


def encoder(name: str, progress: Callable[[int, int, str], None] | None = None) -> Callable[[Sequence[str]], np.ndarray]:
    """A function of texts giving (n, d) rows of unit length. Raises ModelError."""
    model = _model(str(place(name)[0]))

    def encode(texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        parts = []
        for start in range(0, len(texts), BATCH):
            some = list(texts[start : start + BATCH])
            parts.append(model.encode(some, batch_size=BATCH, show_progress_bar=False, normalize_embeddings=True))
            if progress:
                progress(start + len(some), len(texts), "Encoding texts")
        return np.vstack(parts) if parts else np.zeros((0, 1))

    return encode


@lru_cache(maxsize=1)
def _model(folder: str) -> Any:
    from core.io.embedded.weights import quiet

    quiet()
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(folder, device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        words = str(error).strip().splitlines()[0][:200]
        raise ModelError(f"The encoder in {folder} cannot be loaded: {words}. Choose another.", title="No such encoder") from error
