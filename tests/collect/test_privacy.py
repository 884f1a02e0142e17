"""What is left out of texts that reports show, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.collect.cells import run_info
from tests.store.test_store import RUN

DEVICES = "devices:\n  board: {ssh: {host: board, user: bob-b, key: /srv/keys/bob}}\n"


@pytest.mark.parametrize(("text", "shown"), [
    ("File \"/home/ann/suites/net.py\", line 3", "File \"net.py\", line 3"),
    ("no weights at /home/ann/data/w.pt: ask", "no weights at ~/data/w.pt: ask"),
    ("in /home/ann", "in ~"),
    ("/Users/eve/x and (/home/other.user/y)", "~/x and (~/y)"),
    ("cannot log in as 'bob-b' at bob-b@board:22 with /srv/keys/bob", "cannot log in as '[user]' at [user]@board:22 "
                                                                      "with [key]"),
    ("ann's laptop, ann-laptop", "[user]'s laptop, [user]-laptop"),
    ("the channel /sys/home/ann1 of annex", "the channel /sys/home/ann1 of annex"),
    ("net/onnx/fp32/onnxruntime-cpu/t1@board: 3 of 4", "net/onnx/fp32/onnxruntime-cpu/t1@board: 3 of 4"),
])
def test_users_homes_and_keys_are_left_out_and_all_else_is_kept(text: str, shown: str) -> None:
    run = replace(RUN, suite_path="/home/ann/suites/s.yaml", devices_path="/home/ann/d.yaml", devices_text=DEVICES,
                  notes=[text], host={"suite": {"path": "/home/ann/suites/s.yaml", "notes": [text]}})
    info = run_info(run)
    assert info.notes == (shown,)
    assert info.host == {"suite": {"path": "s.yaml", "notes": [shown]}}
