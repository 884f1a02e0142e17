"""Devices to test with that need no hardware: a phone that speaks adb, and what drives it. For your own CI, too."""
