"""What can be made to go wrong on the phone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """Settable before and while the phone runs. The counters count down from the moment they are set."""

    cut_after_received_bytes: int | None = None
    """Drop the link when so many more bytes have come in."""
    cut_after_sent_bytes: int | None = None
    """Drop the link when so many more bytes have gone out."""
    cut_at_message: int | None = None
    """Drop the link instead of the n-th message from now on, of either direction; 1 is the next."""
    stay_away: bool = False
    """After such a cut, refuse connections until `Phone.plug_in`."""
    bytes_per_s: float | None = None
    """The link's speed, in each direction."""
    accepts_keys: bool = True
    """A secure phone's owner taps "Allow" at once; False: does not, until `Phone.allow`."""
    free_bytes: int | None = None
    """Room that is left for pushed files; a write beyond it fails as on a full disk."""
    flipped_pushes: int = 0
    """In so many pieces of files that are pushed, a byte is flipped before it is written."""
    flipped_pulls: int = 0
    """Of so many files to be pulled, a byte is flipped on the way."""
    listed: tuple[str, ...] = ()
    """Further names in the listing of every folder; they are served as small files, `../../x` too."""
