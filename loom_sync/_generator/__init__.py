"""The generator: from `loom_async`, its tests and its examples to their synchronous twins.

It reads source trees and writes source trees; `nox -s sync` runs it, and `nox -s check` compares.
"""
