"""The edge: everything that touches disk, network, accelerators, the clock or another process."""
