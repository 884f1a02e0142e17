"""What goes into each layer: Debian packages, wheels, and what of them is never used on a device."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

LIBRARIES = {
    "libc6": ("ld-linux-aarch64.so.1", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1",
              "libutil.so.1"),
    "libgcc-s1": ("libgcc_s.so.1",), "libstdc++6": ("libstdc++.so.6",), "zlib1g": ("libz.so.1",),
    "libbz2-1.0": ("libbz2.so.1.0",), "liblzma5": ("liblzma.so.5",), "libexpat1": ("libexpat.so.1",),
    "libffi8": ("libffi.so.8",), "libssl3": ("libcrypto.so.3",),
}
"""Shared libraries by Debian package, named as programs ask for them. libcrypto: hashlib is 4 times as fast with it."""

PYTHON = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")


@dataclass(frozen=True)
class Recipe:
    """One layer: the layers it needs, what it is made from, and patterns (fnmatch) of paths.

    Of what matches one of `only`, what matches one of `left_out` is left out.
    """

    name: str
    needs: tuple[str, ...]
    packages: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    only: tuple[str, ...] = ("*",)
    left_out: tuple[str, ...] = ()

    def takes(self, path: str) -> bool:
        """Whether a path of its packages or wheels goes into the layer."""
        return _matches(path, self.only) and not _matches(path, self.left_out)


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


_EVERYWHERE = ("*.pyi", "*.pxd", "*.pyx", "*.h", "*.hpp", "*.a", "*.cmake", "*/tests/*", "*.dist-info/RECORD",
               "*.dist-info/WHEEL", "*.dist-info/entry_points.txt", "*.data/*", "*/py.typed")

_ABOUT = "*.dist-info/*"

_STDLIB = tuple(f"lib/python3.11/{name}" for name in (
    *(f"{package}/*" for package in (
        "config-3.11-*", "curses", "dbm", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "sqlite3",
        "test", "tkinter", "turtledemo", "venv", "wsgiref", "xmlrpc")),
    "sitecustomize.py", "turtle.py",
    *(f"lib-dynload/{module}.*" for module in (
        "_crypt", "_ctypes_test", "_curses", "_curses_panel", "_dbm", "_sqlite3", "_ssl", "_test*", "_uuid",
        "_xxtestfuzz", "audioop", "nis", "ossaudiodev", "readline", "xxlimited*")),
))

_TORCH = (
    "functorch/*", "torchgen/*/*", "torch/bin/protoc*", "torch/testing/_internal/[!_l]*", "torch/testing/_internal/*/*",
    *(f"torch/{package}/*" for package in (
        "_dynamo", "_inductor", "_numpy", "ao/pruning", "contrib", "include", "onnx", "share",
        *(f"distributed/{package}" for package in (
            "_composable", "_shard", "_sharded_tensor", "_sharding_spec", "_symmetric_memory", "_tensor", "_tools",
            "benchmarks", "checkpoint", "elastic", "examples", "fsdp", "launcher", "nn", "optim", "pipelining",
            "tensor")),
        *(f"utils/{package}" for package in (
            "benchmark", "bottleneck", "hipify", "model_dump", "tensorboard", "viz")))),
)

RECIPES = (
    Recipe("python", (), (PYTHON[0], *LIBRARIES, *PYTHON[1:]), left_out=_STDLIB),
    Recipe("numpy", ("python",), wheels=("numpy",), left_out=(
        *_EVERYWHERE, "numpy/distutils/*", "numpy/f2py/*", "numpy/_core/_*_tests.*", "numpy/_core/include/*",
        "numpy/_core/lib/*", "numpy/_pyinstaller/*", "numpy/random/_examples/*")),
    Recipe("onnxruntime", ("numpy",), wheels=("onnxruntime",),
           only=("onnxruntime/__init__.py", "onnxruntime/capi/*", "onnxruntime/LICENSE", "onnxruntime/*.txt", _ABOUT),
           left_out=(*_EVERYWHERE, "onnxruntime/capi/libonnxruntime*")),
    Recipe("tflite", ("numpy",), wheels=("ai-edge-litert",),
           left_out=(*_EVERYWHERE, "ai_edge_litert/libLiteRtWebGpuAccelerator.so", "ai_edge_litert/aot/*",
                     "ai_edge_litert/tools/*")),
    Recipe("torch", ("numpy",), wheels=("torch", "typing-extensions"), left_out=(*_EVERYWHERE, *_TORCH)),
    Recipe("executorch", ("torch",), wheels=("executorch",), only=("executorch/extension/pybindings/*", _ABOUT),
           left_out=_EVERYWHERE),
)
"""Each after those that it needs."""
