"""What results mean: verdicts, comparisons, history, expectations, recommendations, trust. Pure functions."""
