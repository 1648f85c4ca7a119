"""Runs the generator: `python loom_sync/_generator`, which does not import `loom_sync`."""

import importlib
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])
sys.exit(importlib.import_module("_generator.command").main(sys.argv[1:]))
