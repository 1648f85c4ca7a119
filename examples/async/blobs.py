"""Versioned bytes of any length beside a document."""

import asyncio
import tempfile
from pathlib import Path

# --8<-- [start:model]
import loom_async as lm


@lm.declare_persist_db("my_app", "reports")
class Report(lm.BlobModel):
    title: str


# --8<-- [end:model]


async def main() -> None:
    async with lm.embedded():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "may.csv"
            path.write_bytes(b"day,sales\n1,20\n2,31\n")

            # --8<-- [start:write]
            report = Report(title="May", content_type="text/csv")
            first = await report.write_from(path)  # read and sent in chunks
            assert (first.number, first.length) == (1, 20)
            await report.write_from([b"day,sales\n", b"1,20\n2,31\n3,25\n"])
            assert (report.version, report.length) == (2, 25)
            # --8<-- [end:write]

        # --8<-- [start:read]
        async with report.open_read() as stream:
            assert await stream.readline() == b"day,sales\n"
            await stream.seek(15)
            assert await stream.read() == b"2,31\n3,25\n"

        async with report.open_read(-2) as stream:  # the version before the newest
            while chunk := await stream.readchunk():
                assert chunk.endswith(b"2,31\n")
        # --8<-- [end:read]

        # --8<-- [start:versions]
        assert [version.number for version in await report.versions()] == [1, 2]
        await report.delete_version(1)
        assert await report.delete()  # the document and all its bytes
        # --8<-- [end:versions]


asyncio.run(main())
