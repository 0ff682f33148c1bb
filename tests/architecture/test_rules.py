"""Each rule finds a crafted offence and passes a crafted innocent."""

from __future__ import annotations

import pytest

from tests.architecture import code, docstrings, folders, imports, kernel_tests, records
from tests.architecture.modules import Module


def found(rule, path, source):
    """Messages of a rule about one crafted module."""
    return [str(violation) for violation in rule(Module(path, source))]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("gnss/a.py", "from rtkpos.core.tables import ObsArrays"),
        ("core/a.py", "from rtkpos import records"),
        ("core/a.py", "import rtkpos.io.rinex_obs"),
        ("gnss/a.py", "from ..core import tables"),
        ("core/a.py", "def f():\n    from rtkpos.processing.run import solve"),
        ("io/a.py", "from rtkpos.physics.coordinates import transform"),
        ("physics/a.py", "import rtkpos.io"),
        ("network/a.py", "from rtkpos.simulate import truth"),
        ("estimate/a.py", "from rtkpos.processing import run"),
        ("processing/a.py", "from rtkpos.engine import RtkEngine"),
        ("errors.py", "from rtkpos.core import geodesy"),
        ("cellar/a.py", ""),
    ],
)
def test_forbidden_arrow(path, source):
    assert len(found(imports.import_direction, path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "core/a.py",
            "from rtkpos._numba.decorator import kernel\nfrom rtkpos.core.b import f\nimport math",
        ),
        ("core/a.py", "from .b import f\nfrom ..constants import DEG"),
        ("records/a.py", "from rtkpos.core.tables import ObsArrays"),
        ("app/a.py", "from rtkpos import __version__, processing\nfrom rtkpos.io import atomic"),
        ("_numba/a.py", "from rtkpos._numba.cache_folder import source_hash"),
        ("__init__.py", "from rtkpos.engine import RtkEngine\nfrom rtkpos.app import cli"),
        ("engine.py", "from rtkpos.api import solve"),
        ("io/a.py", "import rtkposix"),
    ],
)
def test_allowed_arrow(path, source):
    assert found(imports.import_direction, path, source) == []


def test_forbidden_arrow_names_file_line_and_rooms():
    (message,) = found(imports.import_direction, "core/a.py", "\n\nimport rtkpos.app.cli")
    assert message.startswith("src/rtkpos/core/a.py:3: forbidden import core -> app")


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("core/a.py", "import numba", 1),
        ("core/a.py", "from numba import njit", 1),
        ("_numba/compiler.py", "import numba\nfrom numba.core import config", 0),
        ("records/a.py", "def f():\n    import georinex", 1),
        ("io/a.py", "def f():\n    import georinex", 0),
        ("physics/tides.py", "import pyproj", 1),
        ("physics/coordinates.py", "def f():\n    import pyproj", 0),
        ("solve/a.py", "import rich.progress", 1),
        ("app/screen.py", "import rich", 0),
    ],
)
def test_library_owners(path, source, count):
    assert len(found(imports.library_owners, path, source)) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("import scipy.stats", 1),
        ("try:\n    import pandas\nexcept ImportError:\n    pandas = None", 1),
        ("def f():\n    import scipy", 0),
        ("class A:\n    def f(self):\n        import xarray", 0),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", 0),
    ],
)
def test_heavy_imports(source, count):
    assert len(found(imports.heavy_imports, "physics/a.py", source)) == count


def long_function(n, mark=""):
    lines = "".join(f"    x = {i}\n    # a comment\n\n" for i in range(n - 1))
    return f'{mark}def f():\n    """Docstring\n\n    of several lines.\n    """\n{lines}'


@pytest.mark.parametrize(
    ("source", "count"),
    [
        (long_function(60), 0),
        (long_function(61), 1),
        (long_function(80, "@kernel\n"), 0),
        (long_function(81, "@kernel\n"), 1),
    ],
)
def test_function_sizes(source, count):
    assert len(found(code.function_sizes, "core/a.py", source)) == count


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("io/a.py", "def f(a, b, c, d, e, f): ...", 0),
        ("io/a.py", "def f(a, b, c, d, e, *, g, h): ...", 1),
        ("io/a.py", "class A:\n    def f(self, a, b, c, d, e, f): ...", 0),
        ("core/a.py", "@kernel\ndef f(a, b, c, d, e, f, g, h, i, j): ...", 0),
        ("core/a.py", "@kernel\ndef f(a, b, c, d, e, f, g, h, i, j, k): ...", 1),
        ("app/a.py", "@app.command()\ndef f(a, b, c, d, e, f, g, h): ...", 1),
        ("app/a.py", "def f(a, b, c, d, e, f, g, h): ...", 1),
    ],
)
def test_argument_counts(path, source, count):
    assert len(found(code.argument_counts, path, source)) == count


def test_file_sizes():
    assert found(code.file_sizes, "core/a.py", "x = 1\n" * 400) == []
    assert len(found(code.file_sizes, "core/a.py", "x = 1\n" * 401)) == 1
    assert found(code.file_sizes, "core/_gmf_tables.py", "x = 1\n" * 401) == []


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("io/a.py", "try:\n    x = 1\nexcept:\n    pass", 1),
        ("io/a.py", "try:\n    x = 1\nexcept OSError:\n    pass", 0),
        ("io/a.py", "assert x > 0", 1),
        ("io/a.py", "print(1)", 1),
        ("app/a.py", "print(1)", 0),
        ("io/a.py", "# TODO later", 1),
        ("io/a.py", "# TODO(12): later", 0),
    ],
)
def test_forbidden_statements(path, source, count):
    assert len(found(code.forbidden_statements, path, source)) == count


@pytest.mark.parametrize(
    "statement",
    [
        "x = {}",
        "x = []",
        "x = [i for i in y]",
        "x = 'text'",
        "x = f'{y}'",
        "raise ValueError",
        "np.linalg.inv(y)",
        "x = lambda: 0",
        "def g(): ...",
        "try:\n        pass\n    except ValueError:\n        pass",
    ],
)
def test_kernel_language(statement):
    source = f"@kernel\ndef f(y):\n    '''Docstring.'''\n    {statement}\n"
    assert found(code.kernel_language, "core/a.py", source)
    assert found(code.kernel_language, "core/a.py", source.replace("@kernel\n", "")) == []


def test_kernel_language_passes_plain_kernels():
    source = (
        "@kernel\ndef f(y, out_x):\n    '''Text.'''\n    out_x[0], z = y[0], (1, 2)\n    return 0"
    )
    assert found(code.kernel_language, "core/a.py", source) == []
    assert found(code.kernel_language, "core/a.py", source.replace("out_x)", "out_x=1)"))


def test_fused_kernels_are_named():
    source = "@fused_kernel\ndef dot(a): ...\n@kernel\ndef other(a): ..."
    assert found(code.fused_kernels, "core/linear/dot.py", source) == []
    assert found(code.fused_kernels, "core/orbits.py", source)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("N_PAIR = 3\nN_ROW = 4\nN_PAIR = 64", 1),
        ("A, B = 1, 2\nB: int = 3", 1),
        ("LIMIT = 1\nLIMIT += 1", 1),
        ("A = 1\nB = A\ndef f():\n    A = 2\nrecord.A = 3", 0),
        ("text = 1\ntext = 2", 0),
    ],
)
def test_constants_bound_once(source, count):
    assert len(found(code.constants_bound_once, "core/a.py", source)) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(x: int) -> int: ...", 0),
        ("def f(x) -> int: ...", 1),
        ("def f(x: int): ...", 1),
        ("def _f(x): ...", 0),
        ("@kernel\ndef f(x): ...", 0),
        ("class A:\n    def f(self) -> None: ...", 0),
    ],
)
def test_public_type_hints(source, count):
    assert len(found(code.public_type_hints, "io/a.py", source)) == count


@pytest.mark.parametrize(
    ("path", "source", "count"),
    [
        ("core/a.py", "def f(snr, ref_sat): ...", 2),
        ("core/a.py", "lat_deg = 1.0", 1),
        ("io/a.py", "lat_deg = base_xyz = 1.0", 0),
        ("core/a.py", "reference_row, cn0_dbhz = 0, 45.0", 0),
    ],
)
def test_glossary(path, source, count):
    assert len(found(code.glossary, path, source)) == count


def test_single_owners():
    first = Module("core/a.py", "LIMIT = 1\ndef f(): ...\ndef _own(): ...\nfrom x import g")
    second = Module("gnss/b.py", "LIMIT = 2\nclass f: ...\ndef _own(): ...\ndef g(): ...")
    assert [str(v) for v in code.single_owners([first, second])] == [
        "src/rtkpos/gnss/b.py:1: LIMIT is also defined in src/rtkpos/core/a.py",
        "src/rtkpos/gnss/b.py:2: f is also defined in src/rtkpos/core/a.py",
    ]


def test_the_simulation_knows_no_physics_of_the_solver():
    allowed = (
        "from rtkpos.io.rinex_nav import read_nav\nfrom rtkpos.simulate.earth import place_llh"
    )
    assert found(imports.independent_simulation, "simulate/a.py", allowed) == []
    stolen = "from rtkpos.core.orbits import sagnac_range"
    assert len(found(imports.independent_simulation, "simulate/a.py", stolen)) == 1
    assert found(imports.independent_simulation, "solve/a.py", stolen) == []


def test_no_orphans():
    modules = [
        Module("core/a.py", "import rtkpos.core.a"),
        Module("core/b.py", ""),
        Module("core/c.py", ""),
        Module(
            "app/command_line/main.py",
            "def f():\n    from rtkpos.core import b\n    from rtkpos.core.c import g",
        ),
        Module("core/__init__.py", ""),
        Module("__init__.py", '_PLACES = {"sp3": "rtkpos.io.sp3", "solve": ".processing.run"}'),
        Module("io/sp3.py", ""),
        Module("processing/run.py", ""),
    ]
    (violation,) = imports.no_orphans(modules)
    assert violation.path == "src/rtkpos/core/a.py"


def test_no_circles():
    modules = [
        Module("core/a.py", "from rtkpos.core.b import f"),
        Module("core/b.py", "def f():\n    from rtkpos.core.c import g"),
        Module("core/c.py", "import rtkpos.core.a"),
        Module("core/d.py", "from rtkpos.core import a"),
        Module("__init__.py", "from rtkpos.core import d"),
    ]
    (violation,) = imports.no_circles(modules)
    assert "rtkpos.core.a, rtkpos.core.b, rtkpos.core.c" in str(violation)


def test_unique_file_names():
    paths = ["core/orbit.py", "simulate/orbit.py", "app/info/text.py", "app/solve/text.py"]
    (violation,) = folders.unique_file_names([Module(path, "") for path in paths])
    assert "simulate/orbit.py" in str(violation)


def test_folder_sizes(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "ROOT", tmp_path)
    for name in ("crowded", "small"):
        (tmp_path / name).mkdir()
    for number in range(13):
        (tmp_path / "crowded" / f"m{number}.py").touch()
        (tmp_path / "small" / f"m{number}.txt").touch()
    (violation,) = folders.folder_sizes(tmp_path)
    assert "13 modules" in str(violation)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("# starts anew", 1),
        ("a_second_opinion = 1", 1),
        ("STRIKES = 3", 1),
        ("reckon(state)", 1),
        ("propagate_by_tdcp(state)", 0),
        ("renewed, proofread = 1, 2", 0),
    ],
)
def test_standard_terms(source, count):
    assert len(found(code.standard_terms, "estimate/a.py", source)) == count


def test_no_copies():
    body = "(x):\n    a = x + 1\n    b = a * 2\n    c = b - 3\n    d = c / 4\n    return d\n"
    first = Module("core/a.py", f"def f{body}")
    copy = Module("io/b.py", f"def _g{body.replace('):', '):' + chr(10) + '    # mine')}")
    other = Module("io/c.py", f"def h{body.replace('4', '5')}")
    (violation,) = code.no_copies([first, copy, other])
    assert str(violation) == "src/rtkpos/io/b.py:1: _g is a copy of f in src/rtkpos/core/a.py"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('"""Module."""\ndef f():\n    """A sentence."""', 0),
        ('"""Module."""\ndef f():\n    """A sentence\n    that runs on."""', 0),
        ('"""Module."""\ndef f():\n    """No sentence"""', 1),
        ('"""Module."""\ndef f(): ...', 1),
        ('"""Module."""\nclass A:\n    """It."""\n    def f(self): ...', 1),
        ('"""Module."""\ndef _f(): ...', 0),
        ("x = 1", 1),
    ],
)
def test_docstrings(source, count):
    assert len(found(docstrings.docstrings, "io/a.py", source)) == count


@pytest.mark.parametrize(
    ("doc", "count"),
    [
        ("Sum.\n\n    values : (n,) [m]      out_m : (n,) [m]", 0),
        ("Sum.\n\n    values : (n, 3) [m]", 1),
        ("Sum of values in out_m.", 1),
        ("Sum.", 2),
    ],
)
def test_kernel_docstrings(doc, count):
    body = "    out_m[0] = values[0]\n" * 20
    source = f'@kernel\ndef f(values, out_m):\n    """{doc}"""\n{body}'
    assert len(found(docstrings.kernel_docstrings, "core/a.py", source)) == count
    legend = '"""Legend.\n\nvalues, out_m : (n,) [m]\n"""\n'
    assert found(docstrings.kernel_docstrings, "core/a.py", legend + source) == []


@pytest.mark.parametrize(
    ("path", "doc", "count"),
    [
        ("core/a.py", "Formula.", 1),
        ("core/a.py", "Formula.\n\nSource: IERS Conventions (2010), eq. 9.4.\n", 0),
        ("core/a.py", "Formula of Bowring (1985).", 0),
        ("estimate/a.py", "Formula.", 0),
    ],
)
def test_sources(path, doc, count):
    source = f'"""{doc}"""\n@kernel\ndef f(x): ...'
    assert len(found(docstrings.sources, path, source)) == count


def test_tests_of_a_kernel_are_those_that_reach_its_name():
    """By the test itself, a helper of the file, one of another file, or a module's attribute."""
    folder = kernel_tests.TESTS
    helper = "from rtkpos.core.a import first\n\ndef helped():\n    return first()\n"
    source = (
        "from rtkpos.core import b\nfrom rtkpos.core.a import first, unused\n"
        "from tests.core.helpers import helped\n\n"
        "def own():\n    return first()\n\n"
        "def test_one():\n    own()\n\n"
        "def test_two():\n    helped()\n\n"
        "def test_three():\n    b.second()\n"
    )
    files = [
        kernel_tests.TestFile(folder / "core/helpers.py", helper),
        kernel_tests.TestFile(folder / "core/test_a.py", source),
    ]
    found = kernel_tests.tests_by_kernel(files)
    node = "tests/core/test_a.py::test_"
    assert found["rtkpos.core.a", "first"] == [f"{node}one", f"{node}two"]
    assert found["rtkpos.core.b", "second"] == [f"{node}three"]
    assert ("rtkpos.core.a", "unused") not in found


def test_kernels_without_a_test_are_found(monkeypatch):
    monkeypatch.setattr(kernel_tests, "WITHOUT_TEST", {("rtkpos.core.gone", "k"): "a reason"})
    lines = "\n".join(f"    x += {k}" for k in range(20))
    made = Module("core/made.py", f"@kernel\ndef nobody_tests_me(x):\n{lines}\n    return x\n")
    what = [str(violation) for violation in kernel_tests.kernels_named([made])]
    assert len(what) == 2
    assert "nobody_tests_me is named by no test" in what[0]
    assert "there is no rtkpos.core.gone.k" in what[1]


@pytest.mark.parametrize(
    ("statement", "n"),
    [
        ("amb.info[3] = 1.0", 1),
        ("return work.log[i, 2]", 1),
        ("return memory.state.count[0]", 1),
        ("return amb.ratio", 0),
        ("return rows.llh[2] + work.row.shape[1]", 0),
        ("return work.range_m[ROVER, i]", 0),
        ("return out_state[3]", 0),
    ],
)
def test_literal_index_into_a_record(statement, n):
    source = f"@kernel\ndef f(work, i):\n    {statement}\n"
    assert len(found(records.named_fields, "core/a.py", source)) == n
    assert found(records.named_fields, "core/a.py", source.replace("@kernel\n", "")) == []


def test_satellites_are_taken_apart_in_one_place():
    assert len(found(records.one_system_of, "io/a.py", "system = sat >> 6")) == 1
    assert found(records.one_system_of, "gnss/systems.py", "system = sat >> 6") == []
    assert found(records.one_system_of, "io/a.py", "word = bit >> 3") == []


def test_a_name_of_a_record_stands_for_one_type():
    assert len(found(records.one_type_of_a_name, "network/a.py", '"""memory : EdgeMemory"""')) == 1
    assert found(records.one_type_of_a_name, "network/a.py", '"""edge : EdgeMemory"""') == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("# see `core.orbits`, `core.orbits.clock_of` and `rtkpos.core.orbits`", 0),
        ("# see `core.clocks`", 1),
        ("# see `core.orbits.place_of`", 1),
        ("# see `core.satellites`", 1),
        ("# `work.slip` is filled", 0),
    ],
)
def test_references(text, count):
    modules = [
        Module("core/__init__.py", '"""Orbits of satellites."""'),
        Module("core/orbits.py", "def clock_of(): ..."),
        Module("io/a.py", text),
    ]
    assert len(list(docstrings.references(modules))) == count
