"""Build option: a wheel with its kernels, for every x86-64 processor of the last ten years.

`RTKPOS_BUNDLE_KERNELS=1 python -m build --wheel` compiles them while it builds; the first run of
rtkpos from such a wheel compiles nothing. Without the variable the wheel has no machine code.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "RTKPOS_BUNDLE_KERNELS"
WARM_UP = "from rtkpos.app.command_line.main import main; main()"


class KernelHook(BuildHookInterface):
    """Compiles kernels into the wheel where the variable asks for it."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What must be installed to compile: all that rtkpos itself needs."""
        return list(self.metadata.core.dependencies) if is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the files and the platform of the wheel."""
        if not is_wanted() or version == "editable":
            return
        self._place = Path(tempfile.mkdtemp(prefix="rtkpos-kernels-"))
        folder = self._place / "kernels"
        compile_kernels(Path(self.root) / "src", folder)
        build_data["force_include"][str(folder)] = "rtkpos/_kernels"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"

    def finalize(self, *_ignored: Any) -> None:
        """Remove what was compiled: it is in the wheel."""
        if hasattr(self, "_place"):
            shutil.rmtree(self._place, ignore_errors=True)


def is_wanted() -> bool:
    """Whether the wheel shall bring its kernels."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


def compile_kernels(source: Path, folder: Path) -> None:
    """Have the sources that are packed compile their kernels into a folder."""
    # An isolated build finds what it depends on by the path of this process alone.
    places = os.pathsep.join([str(source), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": places}
    words = ["warmup", "--into", str(folder), "--cpu", "generic"]
    subprocess.run([sys.executable, "-c", WARM_UP, *words], env=environment, check=True)


def platform_tag() -> str:
    """Platform of the machine code. It asks for symbols of libm alone, which every glibc has."""
    machine = platform.machine().lower()
    if sys.platform.startswith("linux"):
        return f"manylinux_2_17_{machine}"
    import sysconfig

    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
