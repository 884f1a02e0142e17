"""The embedded default: small networks, their weights and labelled data, and the suite that measures them."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).parent / "demo.yaml"
"""What `bench run` measures without a suite."""
