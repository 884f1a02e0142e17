"""On-device benchmarking of neural networks, with statistics one can trust."""

__version__ = "0.1.0"
