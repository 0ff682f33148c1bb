"""A damaged, read-only or contested kernel cache never changes a result and never raises."""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba.core import config, types

from rtkpos._numba import cache_folder as _cache
from rtkpos._numba import decorator as _jit
from rtkpos._numba.disk import store as _store
from rtkpos._numba.disk.lock import LOCK_NAME
from rtkpos._numba.disk.packing import packed, unpacked

compiled_only = pytest.mark.compiled

SOURCE = '''
"""Throwaway kernels."""
from rtkpos._numba.decorator import kernel, unit_kernel


@kernel
def half(x):
    return 0.5 * x


@kernel
def total(values):
    result = 0.0
    for i in range(values.shape[0]):
        result += half(values[i])
    return result


@kernel
def same(i):
    return i


@kernel
def sum_of_calls(values):
    result = same(7) + same(values.shape[0])
    for i in range(values.shape[0]):
        result += same(values[i])
    return result


@unit_kernel
def far(x):
    return half(x) + x


@kernel
def twice_far(x):
    return far(x) + far(x)


@kernel
def near(x):
    return half(x) + half(2.0)
'''

RUNNER = """
import numpy as np
import rtkpos._numba.disk.store
rtkpos._numba.disk.store.source_hash = lambda path: "unchanged while the test runs"
import throwaway
result = throwaway.total(np.arange(5.0))
hits = throwaway.total.n_loaded
print(f"{result!r} {hits}")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the throwaway module; kernels are kept in its `cache`."""
    (tmp_path / "throwaway.py").write_text(SOURCE)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def fresh_module(folder: Path) -> ModuleType:
    """The throwaway module as a new process would see it: nothing compiled yet."""
    spec = importlib.util.spec_from_file_location("throwaway", folder / "throwaway.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(folder: Path) -> tuple[float, int]:
    """Result of the outer kernel in a fresh module, and how many compiled forms it loaded."""
    module = fresh_module(folder)
    result = module.total(np.arange(5.0))
    return result, module.total.n_loaded


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "cache").rglob("*.rtkpos"))


def kind_of(path: Path) -> str:
    """Whether an entry holds a whole, a part or a unit: by its facts."""
    facts, blocks = unpacked(path.read_bytes()[48:])
    if not all(isinstance(fact, str) for fact in facts) and isinstance(facts[3], bool):
        return "whole"
    return "part" if blocks[0].startswith(b"BC") else "unit"


def rewrite(path: Path, payload: bytes) -> None:
    """An entry with a right checksum and stamp around a wrong payload."""
    rest = path.read_bytes()[16:48] + payload
    path.write_bytes(hashlib.blake2b(rest, digest_size=16).digest() + rest)


def flip(path: Path, share: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(share * (len(content) - 1))] ^= 0x10
    path.write_bytes(bytes(content))


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swap_with_other(path: Path) -> None:
    other = next(entry for entry in path.parent.iterdir() if entry != path)
    shutil.copy(other, path)


CORRUPTIONS = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 20),
    "bit flipped in the checksum": lambda path: flip(path, 0.0),
    "bit flipped in the code": lambda path: flip(path, 0.5),
    "bit flipped at the end": lambda path: flip(path, 1.0),
    "nothing packed": lambda path: rewrite(path, b"nothing packed"),
    "a pickle": lambda path: rewrite(path, b"\x80\x04N."),
    "something else packed": lambda path: rewrite(path, packed([1, {}], [b""])),
    "facts of other types": lambda path: rewrite(path, packed([1, 2, 3, 4, [5]], [b"code"])),
    "cut short": lambda path: rewrite(path, path.read_bytes()[48:-40]),
    "folder in its place": replace_by_folder,
    "another kernel's code": swap_with_other,
    "unreadable": lambda path: path.chmod(0),
}


@compiled_only
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_damaged_entry_is_a_miss_and_is_rebuilt(folder, name):
    assert run(folder) == (5.0, 0)
    assert run(folder) == (5.0, 1)
    assert len(entries(folder)) == 2
    for path in entries(folder):
        CORRUPTIONS[name](path)
    result, hits = run(folder)
    assert result == 5.0
    if name not in ("unreadable", "another kernel's code"):  # root reads everything
        assert hits == 0
    if name != "folder in its place":
        assert run(folder) == (5.0, 1)


@compiled_only
def test_unchanged_callee_is_taken_from_its_part(folder):
    run(folder)
    for path in (folder / "cache").rglob("*.total-*"):
        path.unlink()
    module = fresh_module(folder)
    assert module.total(np.arange(5.0)) == 5.0
    assert sum(module.half.part.stats.cache_hits.values()) == 1
    assert (module.total.n_loaded, module.total.n_compiled) == (0, 1)


@compiled_only
def test_part_alone_becomes_a_whole_when_python_calls_it(folder):
    run(folder)
    module = fresh_module(folder)
    assert (module.total(np.arange(5.0)), module.half(3.0)) == (5.0, 1.5)


@compiled_only
def test_parts_of_two_processes_fit_together(folder, monkeypatch):
    """Whoever compiled a part, its symbol is the one that callers compiled elsewhere ask for."""
    shape = (types.float64[::1],)
    fresh_module(folder).same.part.compile((types.int64,))  # numba has counted one more function
    fresh_module(folder).total.part.compile(shape)
    (mine,) = (folder / "cache").rglob("throwaway.half-*")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "other"))
    fresh_module(folder).total.part.compile(shape)
    (others,) = (folder / "other").rglob("throwaway.half-*")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "cache"))
    shutil.copy(others, mine)
    module = fresh_module(folder)
    module.total.part.compile(shape)
    assert sum(module.half.part.stats.cache_hits.values()) == 1
    assert sum(module.total.part.stats.cache_hits.values()) == 1
    assert module.total(np.arange(5.0)) == 5.0


@compiled_only
def test_a_unit_is_made_once_and_serves_every_whole(folder):
    first = fresh_module(folder)
    first.far.prepare_part(2.0)
    (unit,) = (path for path in entries(folder) if kind_of(path) == "unit")
    made = unit.stat().st_mtime_ns
    module = fresh_module(folder)
    assert (module.twice_far(3.0), module.near(3.0)) == (2 * 4.5, 1.5 + 1.0)
    assert unit.stat().st_mtime_ns == made
    assert len(module.twice_far._forms) == 1
    again = fresh_module(folder)
    assert again.twice_far(3.0) == 2 * 4.5
    assert (again.twice_far.n_loaded, again.twice_far.n_compiled) == (1, 0)


@compiled_only
def test_damaged_unit_is_made_again(folder):
    fresh_module(folder).far.prepare_part(2.0)
    (unit,) = (path for path in entries(folder) if kind_of(path) == "unit")
    flip(unit, 0.5)
    assert fresh_module(folder).twice_far(3.0) == 9.0


@compiled_only
def test_what_is_ready_is_known_without_a_call(folder):
    module, values = fresh_module(folder), np.arange(5.0)
    assert not module.total.is_ready(values)
    module.total.prepare(values)
    assert module.total.is_ready(values)
    assert fresh_module(folder).total.is_ready(values)
    assert not fresh_module(folder).total.is_ready(values.astype(np.float32))


@compiled_only
def test_a_folder_that_takes_nothing_is_known(folder, monkeypatch):
    assert fresh_module(folder).total.can_be_kept()
    (folder / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "file" / "cache"))
    monkeypatch.setattr(_cache.tempfile, "gettempdir", lambda: str(folder / "file"))
    assert not fresh_module(folder).total.can_be_kept()
    assert run(folder) == (5.0, 0)


@compiled_only
def test_preparation_is_asked_once_before_the_first_compilation(folder, monkeypatch):
    monkeypatch.setattr(_jit, "_preparations", [])
    asked = []
    module = fresh_module(folder)

    def prepare():
        asked.append(module.total.n_compiled)
        module.half(1.0)  # may call kernels itself

    _jit.before_compiling(lambda: asked.append("replaced"))
    _jit.before_compiling(prepare)
    assert module.total(np.arange(5.0)) == 5.0
    assert module.half(3.0) == 1.5
    assert (asked, module.half.n_compiled) == ([0], 1)
    _jit.before_compiling(prepare)
    assert fresh_module(folder).total(np.arange(5.0)) == 5.0
    assert asked == [0]


@compiled_only
def test_numba_is_as_before_after_a_compilation(folder):
    from llvmlite import ir
    from numba.core.types.functions import BaseFunction

    def state():
        methods = (BaseFunction.get_call_type, ir.Type.get_abi_size, ir.Type.get_abi_alignment)
        return methods, gc.get_threshold(), gc.get_freeze_count()

    before = state()
    run(folder)
    assert state() == before


@compiled_only
def test_constants_and_short_integers_share_one_compilation(folder):
    module = fresh_module(folder)
    assert module.sum_of_calls(np.arange(3, dtype=np.int16)) == 0 + 1 + 2 + 7 + 3
    assert len(module.same.part.overloads) == 1


@compiled_only
def test_another_numba_version_is_a_miss(folder, monkeypatch):
    run(folder)
    monkeypatch.setattr(_store, "numba_version", lambda: "0.0.1")
    assert run(folder) == (5.0, 0)
    assert run(folder) == (5.0, 1)


@compiled_only
def test_edit_of_another_kernel_file_is_a_miss(folder, monkeypatch):
    run(folder)
    monkeypatch.setattr(_store, "source_hash", lambda path: "another")
    assert run(folder) == (5.0, 0)


@compiled_only
def test_checked_and_unchecked_code_are_kept_apart(folder, monkeypatch):
    run(folder)
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "0" if config.BOUNDSCHECK else "1")
    assert run(folder) == (5.0, 0)


@compiled_only
def test_cache_folder_that_cannot_be_made(folder, monkeypatch):
    (folder / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder / "cache" / "below"))
    assert run(folder)[0] == 5.0


@compiled_only
def test_no_place_for_a_cache_at_all(folder, monkeypatch):
    monkeypatch.setattr(_store, "kernel_folders", lambda: _cache.KernelFolders(None, (), ()))
    assert run(folder) == (5.0, 0)


@compiled_only
def test_full_disk_leaves_no_entry_and_no_litter(folder, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert run(folder) == (5.0, 0)
    left = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    assert [path.name for path in left if path.stat().st_size] == []
    assert {path.name for path in left} <= {LOCK_NAME}


@compiled_only
@pytest.mark.slow
def test_processes_starting_together(folder):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    start = functools.partial(
        subprocess.Popen,
        [sys.executable, "-c", RUNNER],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for worker in [start() for _ in range(8)]:
        out, err = worker.communicate(timeout=120)
        assert (worker.returncode, err) == (0, "")
        assert out.split()[0] == "5.0"
    assert len(entries(folder)) == 2
    assert start().communicate(timeout=120) == ("5.0 1\n", "")


def test_disabled_jit_gives_plain_functions(folder):
    code = "import throwaway, types; assert type(throwaway.half) is types.FunctionType"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)


def test_cache_module_does_not_import_numba():
    code = (
        "import sys, rtkpos._numba.cache_folder as c; c.use_project_cache(); "
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class TestProjectCache:
    """The choice of the folder."""

    @pytest.fixture(autouse=True)
    def restored(self, monkeypatch, tmp_path):
        monkeypatch.setenv("NUMBA_CACHE_DIR", "")
        monkeypatch.setenv("RTKPOS_CACHE_DIR", str(tmp_path))
        _cache._kernel_folders.cache_clear()

    def test_user_choice_stays(self, monkeypatch, tmp_path):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
        assert _cache.use_project_cache() == tmp_path / "mine"

    def test_folder_below_the_named_one(self, tmp_path):
        folder = _cache.use_project_cache()
        assert folder == tmp_path / "kernels" / _cache.project_cache_name()
        assert folder.is_dir()
        assert os.environ["NUMBA_CACHE_DIR"] == ""  # other users of numba are left alone

    def test_only_the_newest_folders_are_kept(self, tmp_path):
        for age in range(8):
            (tmp_path / "kernels" / f"old{age}").mkdir(parents=True)
            os.utime(tmp_path / "kernels" / f"old{age}", (1e9 - age, 1e9 - age))
        used = _cache.use_project_cache()
        left = sorted(path.name for path in (tmp_path / "kernels").iterdir())
        assert left == sorted(["old0", "old1", "old2", used.name])

    def test_read_only_home_falls_back_with_a_message(self, monkeypatch, tmp_path, caplog):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("RTKPOS_CACHE_DIR", str(tmp_path / "file" / "below"))
        monkeypatch.setattr(_cache.tempfile, "gettempdir", lambda: str(tmp_path))
        folder = _cache.use_project_cache()
        assert folder.is_relative_to(tmp_path / f"rtkpos-kernels-{os.getuid()}")
        assert "cannot be made (not a directory)" in caplog.text
        assert str(folder) in caplog.text

    def test_a_folder_that_cannot_be_written_is_still_read(self, monkeypatch, tmp_path, caplog):
        def read_only(dir):
            if not str(dir).startswith(str(tmp_path / "temporary")):
                raise PermissionError(13, "Permission denied")
            return open(os.devnull)

        monkeypatch.setattr(_cache.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
        monkeypatch.setattr(_cache.tempfile, "TemporaryFile", read_only)
        folders = _cache.kernel_folders()
        assert folders.own.is_relative_to(tmp_path / "temporary")
        assert folders.read == (tmp_path / "kernels" / _cache.project_cache_name(), folders.own)
        assert "is not writable" in caplog.text


class TestSourceHash:
    """What invalidates compiled code."""

    @pytest.fixture
    def package(self, tmp_path):
        (tmp_path / "core").mkdir()
        (tmp_path / "core" / "orbit.py").write_text(
            "from rtkpos import constants\nfrom rtkpos.core.light import (\n    c,\n)\n"
            "@kernel\ndef f(x):\n    return x\n"
        )
        (tmp_path / "core" / "light.py").write_text("c = 1.0\n")
        (tmp_path / "constants.py").write_text("GM = 1.0\n")
        (tmp_path / "cli.py").write_text("import rtkpos.core.orbit\n")
        return tmp_path

    def sources(self, package, name):
        paths = _cache.kernel_sources(str(package / name), str(package))
        return {Path(path).name for path in paths}

    def hash_now(self, package, name="core/orbit.py"):
        """The hash a new process would find."""
        for cached in (_cache._read, _cache._is_file, _cache.source_hash):
            cached.cache_clear()
        return _cache.source_hash(str(package / name), str(package))

    def test_a_file_and_what_it_imports(self, package):
        assert self.sources(package, "core/orbit.py") == {"constants.py", "light.py", "orbit.py"}
        assert self.sources(package, "core/light.py") == {"light.py"}
        assert self.sources(package, "cli.py") == {"cli.py", "constants.py", "light.py", "orbit.py"}

    @pytest.mark.parametrize("name", ["constants.py", "core/light.py", "core/orbit.py"])
    def test_an_edit_changes_the_hash(self, package, name):
        before = self.hash_now(package)
        with (package / name).open("a") as file:
            file.write("edited = True\n")
        assert self.hash_now(package) != before

    def test_an_edit_elsewhere_does_not(self, package):
        before = self.hash_now(package)
        (package / "cli.py").write_text("# nothing\n")
        assert self.hash_now(package) == before

    def test_an_edit_after_the_import_does_not_count(self, package):
        before = self.hash_now(package)
        (package / "constants.py").write_text("GM = 2.0\n")
        assert _cache.source_hash(str(package / "core/orbit.py"), str(package)) == before

    def test_the_imports_of_the_package_are_found(self):
        package = Path(_cache.__file__).parents[1]
        paths = _cache.kernel_sources(str(package / "core" / "station" / "geodesy.py"))
        names = {Path(path).name for path in paths}
        assert {
            "geodesy.py",
            "constants.py",
            "decorator.py",
            "cache_folder.py",
        } <= names
