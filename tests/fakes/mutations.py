"""Model files of every kind, damaged by chance: cut, bytes changed, taken out and put in, numbers made huge."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

EXTREMES = (b"\xff" * 8, b"\x00" * 8, b"\x7f" * 8, b"\xff\xff\xff\x7f" * 2)


def mutated(data: bytes, seed: int) -> bytes:
    """The bytes with damage of a kind that the seed chooses."""
    chance, changed = random.Random(seed), bytearray(data)
    place = chance.randrange(len(changed))
    kind = seed % 5
    if kind == 0:
        del changed[place:]
    elif kind == 1:
        for _ in range(chance.randrange(1, 20)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    elif kind == 2:
        del changed[place:place + chance.randrange(1, 64)]
    elif kind == 3:
        changed[place:place] = chance.randbytes(chance.randrange(1, 64))
    else:
        changed[place:place + 8] = chance.choice(EXTREMES)
    return bytes(changed) or b"\0"


def before_its_beginning(data: bytes) -> bytes:
    """A zip archive whose directory says that it begins where no file can."""
    end, large = data.rindex(b"PK\x05\x06"), data.rfind(b"PK\x06\x06")
    if large >= 0:  # torch writes the record for large archives, which then counts
        return data[:large + 40] + (1 << 40).to_bytes(8, "little") * 2 + data[large + 56:]
    return data[:end + 12] + b"\xff\xff\xff\x7f" * 2 + data[end + 20:]


def model_files(folder: Path, *, with_executorch: bool) -> Iterator[tuple[str, Path]]:
    """(kind of source, a sound file) of each kind that can be made here."""
    import torch

    from tests.fakes.files import save_onnx, save_tflite
    from tests.fakes.onnx_files import write_net

    yield "onnx", write_net(folder / "sound.onnx")
    save_onnx(folder / "outside.onnx", external="weights.bin")
    yield "onnx", folder / "outside.onnx"
    yield "tflite", save_tflite(folder / "sound.tflite", open_batch=False)
    net = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()).eval()
    script = torch.jit.script(net)
    script.save(str(folder / "sound.pt"))
    script._save_for_lite_interpreter(str(folder / "sound.ptl"))
    yield "torchscript", folder / "sound.pt"
    yield "torchscript", folder / "sound.ptl"
    program = torch.export.export(net, (torch.zeros(1, 4),))
    torch.export.save(program, folder / "sound.pt2")
    yield "exported", folder / "sound.pt2"
    if with_executorch:
        from executorch.exir import to_edge

        (folder / "sound.pte").write_bytes(to_edge(program).to_executorch().buffer)
        yield "executorch", folder / "sound.pte"


def is_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path)
