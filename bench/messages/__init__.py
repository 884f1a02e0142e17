"""What a device's agent may say, declared once: `agent.py` has its messages, `kinds.py` what their words are made of.

Everything that arrives is held against it, and so is everything that a store gives back: an earlier version may have
kept what this one refuses.
"""
