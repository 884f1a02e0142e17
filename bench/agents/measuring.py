"""The revision of what measures: of how a number comes to be, on the device."""

REVISION = 1
"""Raised on purpose where what is timed changes, or how: numbers of two revisions are not compared.

Most changes of the agent's files are none (a message in other words, one more fact): a test holds the files that
measure and asks, whenever one of them changes, whether the numbers can. Trials that tell no revision are of the first.
"""
