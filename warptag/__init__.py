"""Train a network to tag photographs, and compare the losses that do it (arXiv 1312.4894)."""

__version__ = "0.1.0"
