"""Compiled kernels: compiling, linking, keeping and calling them; alone with numba and llvmlite."""
