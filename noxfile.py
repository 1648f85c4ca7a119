"""The project's sessions: `nox -l` lists them."""

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["check", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def quickstart(session: nox.Session) -> None:
    """Run the main job on real data: 336,776 flights into MongoDB and out again."""
    session.install("-e", ".[quickstart]")
    session.run("python", "examples/async/quickstart.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against a real MongoDB, on two processors: each has a server of its own."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Run random schedules against their oracle, for an hour or for the seconds that are given."""
    session.install("-e", ".[test]")
    seconds, *rest = session.posargs or ["3600"]
    schedules = ["python", "-m", "pytest", "-s", "tests/worlds/schedules", *rest]
    session.run(*schedules, env={"LOOM_SOAK_SECONDS": seconds})


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and print which lines of both packages they reach."""
    session.install("-e", ".[test]")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report", "--skip-covered")


@nox.session
def sync(session: nox.Session) -> None:
    """Generate loom_sync, its tests and its examples from those of loom_async."""
    session.install("libcst>=1.5", "ruff>=0.8")
    session.run("python", "loom_sync/_generator", *session.posargs)


@nox.session
def check(session: nox.Session) -> None:
    """Check that generated code is fresh; style, types, import rules; the documentation builds."""
    session.install("-e", ".[check]")
    session.run("python", "loom_sync/_generator", "--check")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pyright")
    for package in ("loom_async", "loom_sync"):
        session.run("pyright", "--ignoreexternal", "--verifytypes", package)
    session.run("python", "-m", "pytest", "-q", "tests/tooling")
    session.run("mkdocs", "build", "--strict", "--site-dir", session.create_tmp())


@nox.session
def docs(session: nox.Session) -> None:
    """Serve the documentation at http://127.0.0.1:8000, with its examples and the reference."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "serve", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure Loom against plain pymongo with pydantic, and against its peers.

    `nox -s bench -- --rounds 3` runs fewer rounds; `nox -s bench -- shapes` runs one benchmark:
    `odm` (peers), `shapes` (shapes of documents) or `mongodb_odm` (MongoDB's own for ODMs).
    """
    session.install("-e", ".[test]", "beanie>=2.0", "odmantic>=1.0")
    names, options = ["odm", "shapes", "mongodb_odm"], session.posargs
    if options and options[0] in names:
        names, options = options[:1], options[1:]
    for name in names:
        session.run("python", "-m", f"tests.bench.{name}", *options)
        session.run("python", "-m", f"tests.bench.sync.{name}", *options)


@nox.session
def bench_load(session: nox.Session) -> None:
    """Measure many tasks at once against plain pymongo, and memory over minutes."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.bench.load", *session.posargs)


@nox.session
def bench_frames(session: nox.Session) -> None:
    """Measure frames in and out against pymongoarrow alone and the way without either."""
    session.install("-e", ".[test]", "faker>=30", "matplotlib>=3.9")
    results = "docs/frames.json"
    session.run("python", "-m", "tests.bench.frames", "--json", results, *session.posargs)
    session.run("python", "-m", "tests.bench.plot", results, "docs/frames.svg")
    session.run("python", "-m", "tests.bench.sync.frames", *session.posargs)
