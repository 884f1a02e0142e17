from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bench.errors import ModelError
from bench.models.torchscript import read

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def scripted(path: Path) -> Path:
    from tests.fakes.target_nets import conv_net

    torch.jit.save(torch.jit.script(conv_net()), str(path))
    return path


def test_a_saved_script_module_tells_its_weights_and_no_shapes(tmp_path: Path) -> None:
    from tests.fakes.target_nets import conv_net

    info = read(scripted(tmp_path / "net.pt"))
    assert info.parameters == sum(weight.numel() for weight in conv_net().parameters())
    assert (info.format, info.precision, info.version) == ("torchscript", "fp32", "TorchScript 3")
    assert info.inputs == info.outputs == ()
    assert info.size_bytes == (tmp_path / "net.pt").stat().st_size


def test_freezing_hides_no_weights(tmp_path: Path) -> None:
    from tests.fakes.target_nets import tagger

    frozen = torch.jit.freeze(torch.jit.script(tagger()))
    torch.jit.save(frozen, str(tmp_path / "net.pt"))
    assert read(tmp_path / "net.pt").parameters == sum(weight.numel() for weight in tagger().parameters())


def test_quantized_layers_count_and_are_seen_without_freezing(tmp_path: Path) -> None:
    from tests.fakes.target_nets import tagger

    quantized = torch.ao.quantization.quantize_dynamic(tagger(), {torch.nn.Linear})
    torch.jit.save(torch.jit.script(quantized), str(tmp_path / "net.pt"))
    info = read(tmp_path / "net.pt")
    assert info.precision == "int8-dynamic"
    assert info.parameters == sum(weight.numel() for weight in tagger().parameters())


def test_a_quantized_recurrent_layer_is_seen(tmp_path: Path) -> None:
    quantized = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.LSTM(4, 4)), {torch.nn.LSTM})
    torch.jit.save(torch.jit.trace(quantized, torch.rand(3, 1, 4)), str(tmp_path / "net.pt"))
    assert read(tmp_path / "net.pt").precision == "int8-dynamic"


def test_weights_in_half_precision_are_seen(tmp_path: Path) -> None:
    from tests.fakes.target_nets import conv_net

    torch.jit.save(torch.jit.script(conv_net().half()), str(tmp_path / "net.pt"))
    assert read(tmp_path / "net.pt").precision == "fp16"


def test_a_state_dict_is_refused_without_being_unpickled(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, str(tmp_path / "weights.pt"))
    with pytest.raises(ModelError, match="is not a TorchScript archive: it holds no code"):
        read(tmp_path / "weights.pt")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = scripted(tmp_path / "net.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cut\.pt is not a TorchScript archive, or it is damaged"):
        read(tmp_path / "cut.pt")


def test_an_archive_that_torch_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    scripted(tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt") as whole, zipfile.ZipFile(tmp_path / "part.pt", "w") as part:
        for name in whole.namelist():
            if not name.endswith("data.pkl"):
                part.writestr(name, whole.read(name))
    with pytest.raises(ModelError, match=r"torch cannot open .*part\.pt"):
        read(tmp_path / "part.pt")
