"""What `bench` costs and how true its numbers are, measured side by side in one run: `python -m benchmarks`."""
