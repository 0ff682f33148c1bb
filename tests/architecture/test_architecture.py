"""The package keeps its own plan (docs/architecture.md); each failure names file, line and rule."""

from __future__ import annotations

import pytest

from tests.architecture import code, docstrings, folders, imports, kernel_tests, records
from tests.architecture.modules import package_modules

BY_MODULE = (
    imports.import_direction,
    imports.independent_simulation,
    imports.library_owners,
    imports.heavy_imports,
    code.function_sizes,
    code.argument_counts,
    code.file_sizes,
    code.forbidden_statements,
    code.kernel_language,
    code.fused_kernels,
    code.constants_bound_once,
    code.public_type_hints,
    code.glossary,
    code.standard_terms,
    records.named_fields,
    records.one_system_of,
    records.one_type_of_a_name,
    docstrings.docstrings,
    docstrings.kernel_docstrings,
    docstrings.sources,
)
BY_PACKAGE = (
    code.single_owners,
    code.no_copies,
    imports.no_orphans,
    imports.no_circles,
    folders.unique_file_names,
    kernel_tests.kernels_named,
    docstrings.references,
)

# (rule, file, word in the message): reason. Few, and each still needed.
EXCEPTIONS: dict[tuple[str, str, str], str] = {
    ("argument_counts", "api.py", "solve takes"): "one base and several in one word",
    (
        "single_owners",
        "processing/run.py",
        "solve is",
    ): "the public word: one base or several, over both",
    ("glossary", "io/rinex/header.py", "snr_unit"): "the unit a header states for its S columns",
}
MAX_EXCEPTIONS = 12

MODULES = package_modules()


def violations(rule):
    """What a rule finds in the package, exceptions included."""
    if rule in BY_PACKAGE:
        return list(rule(MODULES))
    return [found for module in MODULES for found in rule(module)]


def exception_of(rule, found):
    """The entry of EXCEPTIONS that covers a violation, if any."""
    for key in EXCEPTIONS:
        name, path, word = key
        if name == rule.__name__ and found.path == f"src/rtkpos/{path}" and word in found.what:
            return key
    return None


@pytest.mark.parametrize("rule", BY_MODULE + BY_PACKAGE, ids=lambda rule: rule.__name__)
def test_package_keeps_the_rule(rule):
    left = [str(found) for found in violations(rule) if exception_of(rule, found) is None]
    assert not left, f"{rule.__doc__}\n" + "\n".join(left)


def test_exceptions_are_few_and_still_needed():
    used = {
        exception_of(rule, found) for rule in BY_MODULE + BY_PACKAGE for found in violations(rule)
    }
    assert set(EXCEPTIONS) <= used, "an exception that excuses nothing is to be deleted"
    assert len(EXCEPTIONS) <= MAX_EXCEPTIONS


@pytest.mark.parametrize("tree", ["src", "bench", "tools"])
def test_folders_are_small(tree):
    assert not list(folders.folder_sizes(folders.ROOT / tree))


def test_there_is_a_package_to_check():
    assert len(MODULES) > 20
    assert any(kernel for module in MODULES for kernel in module.kernels())
