"""The embedded default: what is committed is what its provenance says, and good enough."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.config.load import load_suite
from bench.datasets.inputs import resolve_inputs
from bench.datasets.metrics import score
from bench.models.factory import load_module
from bench.models.files import sha256_file
from bench.models.source import resolve_source
from bench.zoo.fashion_mnist import DEBIAN_FOLDER, Split, read_split, stratified
from bench.zoo.mobilenet import WEIGHTS, WEIGHTS_SHA256, fashion, imagenet224
from bench.zoo.provenance import FILES
from bench.zoo.train import train

DATA = WEIGHTS.parent
DEMO = DATA.parent / "demo.yaml"


def test_the_committed_files_are_those_of_the_provenance() -> None:
    told = dict(re.findall(r"\| (\S+) \| \d+ \| ([0-9a-f]{64}) \|", (DATA / "PROVENANCE.md").read_text()))
    assert told == {name: sha256_file(DATA / name) for name in astuple(FILES)}
    assert told[WEIGHTS.name] == WEIGHTS_SHA256
    assert "Copyright (c) 2017 Zalando SE" in (DATA / "LICENSE").read_text()


def test_the_committed_files_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_200_000


def test_the_demo_scores_88_percent_or_more_and_as_its_provenance_says() -> None:
    model = load_suite(DEMO).config.models["fashion"]
    inputs = resolve_inputs(model, None, DEMO.parent)
    assert inputs.labelled is not None
    with torch.inference_mode():
        images = torch.from_numpy(inputs.labelled.inputs["image"][:, 0])
        logits = load_module(resolve_source(model.source, DEMO.parent))(images)
    found = score("top1", logits.numpy(), inputs.labelled.labels)
    assert found >= 0.88
    assert f"{100 * found:.1f} % of the 1,000" in (DATA / "PROVENANCE.md").read_text()


def test_weights_of_another_training_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w").write_bytes(WEIGHTS.read_bytes() + b"\0")
    monkeypatch.setattr("bench.zoo.mobilenet.WEIGHTS", tmp_path / "w")
    with pytest.raises(ValueError, match="WEIGHTS_SHA256"):
        fashion()


def test_the_large_net_is_quick_to_build_the_same_each_time_and_has_the_papers_size() -> None:
    started = time.process_time()
    first, second = imagenet224(), imagenet224()
    assert time.process_time() - started < 30
    assert sum(parameter.numel() for parameter in first.parameters()) == 3_504_872
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = first(image)
        assert torch.equal(logits, second(image))
    assert 0.01 < logits.std() < 100


def test_building_the_large_net_leaves_torchs_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    imagenet224()
    assert torch.equal(torch.rand(3), expected)


def test_training_without_the_data_set_says_how_to_get_it(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "bench.zoo.train", "--data", str(tmp_path), "--out", str(tmp_path)],
                          capture_output=True, text=True, cwd=DATA.parents[2], check=False)
    assert done.returncode == 2
    assert "apt-get install dataset-fashion-mnist" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_the_committed_images_are_those_of_the_test_split() -> None:
    chosen = stratified(read_split(DEBIAN_FOLDER, "t10k"), 100)
    np.testing.assert_array_equal(chosen.images, np.load(DATA / FILES.inputs))
    np.testing.assert_array_equal(chosen.labels, np.load(DATA / FILES.labels))


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN_FOLDER.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_training_repeats_itself_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.zoo.train.EPOCHS", 1)
    whole = read_split(DEBIAN_FOLDER, "train")
    part = Split(whole.images[:1536], whole.labels[:1536])
    threads = torch.get_num_threads()
    try:
        first, second = train(part).state_dict(), train(part).state_dict()
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)
    assert all(torch.equal(first[name], value) for name, value in second.items())
