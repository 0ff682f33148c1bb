"""What is public explains itself in a form that documentation tools read (numpydoc)."""

from __future__ import annotations

import enum
import inspect
from importlib import import_module

import numpydoc.validate
import pytest

from tests.test_public import PACKAGES

# Missing docstrings and sections, parameters that are missing, unknown, in another order or
# without type or meaning, returns and yields without a section or meaning, malformed sections.
CODES = {
    "GL06", "GL07", "GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "PR10", "RT01", "RT03", "YD01",
}  # fmt: skip


def public_objects():
    """Dotted names of all public words and of their public methods and properties."""
    names = set()
    for package in PACKAGES:
        module = import_module(package)
        for word in module.__all__:
            value = getattr(module, word)
            if not callable(value):
                continue
            name = f"{value.__module__}.{value.__qualname__}"
            names.add(name)
            if inspect.isclass(value):
                names |= {f"{name}.{member}" for member in members_of(value)}
    return sorted(names)


def members_of(kind):
    """Public methods and properties that a class of ours defines or inherits."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("rtkpos.")]
    for name in {name for base in ours for name in vars(base) if not name.startswith("_")}:
        member = inspect.getattr_static(kind, name)
        if isinstance(member, property | classmethod | staticmethod) or inspect.isfunction(member):
            yield name


def problems(name):
    """What numpydoc finds wrong, of the kinds that matter here."""
    found = numpydoc.validate.validate(name)["errors"]
    return [f"{code} {text}" for code, text in found if code in CODES]


def is_enumeration(name):
    module, _, word = name.rpartition(".")
    try:
        value = getattr(import_module(module), word)
    except ModuleNotFoundError:  # a member of a class
        return False
    return inspect.isclass(value) and issubclass(value, enum.Enum)


def test_every_public_word_has_parameters_and_returns_that_a_tool_can_read():
    names = public_objects()
    assert len(names) > 150
    # Members of an enumeration are its documentation; nobody calls it with parameters.
    found = {n: problems(n) for n in names if not is_enumeration(n)}
    assert {name: told for name, told in found.items() if told} == {}


def undocumented(first: int, second: int = 2) -> int:
    """Sum of two numbers.

    Parameters
    ----------
    first : int
        One number.

    Returns
    -------
    int
        The sum.
    """
    return first + second


def test_a_parameter_that_is_not_documented_is_found():
    (told,) = problems(f"{__name__}.undocumented")
    assert told.startswith("PR01")
    assert "second" in told


@pytest.mark.parametrize("word", ["solve", "RtkEngine", "read_obs"])
def test_the_first_words_name_the_errors_they_raise(word):
    import rtkpos

    value = getattr(rtkpos, word)
    members = [member for member in vars(value).values() if inspect.isfunction(member)]
    text = "".join(inspect.getdoc(one) or "" for one in (value, *members))
    assert "Raises\n------" in text
