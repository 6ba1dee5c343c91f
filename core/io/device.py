"""What this machine has: cores, memory, accelerator, bf16. Torch is asked only when it is loaded already."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from core.format import size


def memory() -> int:
    """Bytes of main memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 natively (avx512_bf16, amx or arm bf16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))


def accelerator() -> str | None:
    """The name of the first CUDA device as the driver tells it, without loading torch."""
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")) if sys.platform == "linux" else []
    for card in cards:
        for line in card.read_text().splitlines():
            if line.startswith("Model:"):
                return line.split(":", 1)[1].strip()
    return None


def cuda() -> bool:
    """Whether torch can compute on a CUDA device. Torch is imported only where a driver is there, or where it is already."""
    driver = Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
    if "torch" not in sys.modules and not driver and sys.platform == "linux":
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def place() -> str:
    """Where models compute: this process's CUDA device ("cuda:0"; of several processes each has its own), else "cpu"."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda() else "cpu"


def room() -> int:
    """Bytes of the memory a model must fit in: the CUDA device's where there is one, else main memory."""
    if not cuda():
        return memory()
    import torch

    return int(torch.cuda.get_device_properties(place()).total_memory)


def describe() -> dict[str, str]:
    """Label -> value, for people."""
    from core.io.files import home

    return {
        "Processor": f"{cores()} cores" + (", bfloat16" if has_bf16() else ""),
        "Memory": size(memory()),
        "Accelerator": accelerator() or "none: training runs on the processor",
        "Free disk": size(shutil.disk_usage(home()).free),
        "Python": sys.version.split()[0],
    }
