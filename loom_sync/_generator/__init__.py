"""The generator of the synchronous twins of `loom_async`, its tests and its examples.

It reads source trees and writes source trees; `nox -s sync` runs it, and `nox -s check` compares.
"""
