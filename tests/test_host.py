"""What the host lacks is told as just that, whatever it was taken for."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys

import pytest

from bench.errors import ConfigError, DeviceError, InfrastructureError, ModelError
from bench.host import as_told, is_shortage, shortages_told


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT,
                                    errno.EROFS, errno.EIO])
def test_what_the_host_lacks_is_infrastructure_with_its_own_words(number: int) -> None:
    told = as_told(OSError(number, os.strerror(number), "/srv/x"))
    assert isinstance(told, InfrastructureError) and told.hint
    assert os.strerror(number) in told.message and "/srv/x" in told.message and "host" in told.message


@pytest.mark.parametrize("error", [MemoryError("of 8 GiB"), RuntimeError("can't start new thread")])
def test_memory_and_threads_that_are_used_up_are_infrastructure(error: Exception) -> None:
    assert isinstance(as_told(error), InfrastructureError)


@pytest.mark.parametrize("kind", [ConfigError, DeviceError, ModelError])
def test_an_error_that_comes_of_a_shortage_is_one_and_keeps_its_words(kind: type[Exception]) -> None:
    with pytest.raises(InfrastructureError, match="cannot read the model") as caught, shortages_told():
        try:
            raise OSError(errno.EIO, "Input/output error")
        except OSError:
            raise kind("cannot read the model") from None
    assert "dmesg" in caught.value.hint


@pytest.mark.parametrize("cause", [FileNotFoundError(errno.ENOENT, "no"), BlockingIOError(errno.EAGAIN, "locked")])
def test_other_errors_are_told_as_they_are(cause: OSError) -> None:
    try:
        raise ConfigError("wrong") from cause
    except ConfigError as error:
        assert as_told(error) is error
    assert as_told(ValueError("x")) is None


def test_the_words_of_native_code_are_known() -> None:
    assert is_shortage("Load failed: Input/output error") and not is_shortage("no kernel for FancyConv")


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    code = ("import resource; from bench.host import raise_descriptor_limit as raise_; raise_();"
            "print(*resource.getrlimit(resource.RLIMIT_NOFILE))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 300)))
    assert done.stdout.split() == ["300", "300"]
