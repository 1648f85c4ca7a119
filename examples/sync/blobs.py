# Generated from examples/async/blobs.py by `nox -s sync`: edit that file.
"""Versioned bytes of any length beside a document."""

import tempfile
from pathlib import Path

# --8<-- [start:model]
import loom_sync as lm


@lm.declare_persist_db("my_app", "reports")
class Report(lm.BlobModel):
    title: str


# --8<-- [end:model]


def main() -> None:
    with lm.embedded():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "may.csv"
            path.write_bytes(b"day,sales\n1,20\n2,31\n")

            # --8<-- [start:write]
            report = Report(title="May", content_type="text/csv")
            first = report.write_from(path)  # read and sent in chunks
            assert (first.number, first.length) == (1, 20)
            report.write_from([b"day,sales\n", b"1,20\n2,31\n3,25\n"])
            assert (report.version, report.length) == (2, 25)
            # --8<-- [end:write]

        # --8<-- [start:read]
        with report.open_read() as stream:
            assert stream.readline() == b"day,sales\n"
            stream.seek(15)
            assert stream.read() == b"2,31\n3,25\n"

        with report.open_read(-2) as stream:  # the version before the newest
            while chunk := stream.readchunk():
                assert chunk.endswith(b"2,31\n")
        # --8<-- [end:read]

        # --8<-- [start:versions]
        assert [version.number for version in report.versions()] == [1, 2]
        report.delete_version(1)
        assert report.delete()  # the document and all its bytes
        # --8<-- [end:versions]


main()
