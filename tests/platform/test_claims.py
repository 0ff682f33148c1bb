"""The package claims what the checks try: versions of Python, systems, extras."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHECKS = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def claimed(topic):
    """What the classifiers of a topic say behind it."""
    start = f"{topic} :: "
    return [c.removeprefix(start) for c in PROJECT["classifiers"] if c.startswith(start)]


def test_versions_of_python_are_those_the_wheel_is_tried_on():
    versions = re.search(r"^versions=\((.*)\)$", CHECKS, re.MULTILINE).group(1).split()
    numbers = [c for c in claimed("Programming Language :: Python") if "." in c]
    assert numbers == versions
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_one_system_is_claimed():
    assert claimed("Operating System") == ["POSIX :: Linux"]


def test_site_and_packages_are_built_by_the_checks():
    assert "mkdocs build --strict" in CHECKS
    assert re.search(r"^step .* packages$", CHECKS, re.MULTILINE)
    assert {"docs", "plot", "test", "dev"} <= set(PROJECT["optional-dependencies"])
