"""The device side of adb, over loopback: the real `adb` connects to it as to a phone."""
