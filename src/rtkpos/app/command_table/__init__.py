"""The commands of `rtkpos` as a table: name, kind and meaning of every option stand here once.

Parser, help, keys of `batch` jobs, shell completion, man page and reference are made from it.
"""
