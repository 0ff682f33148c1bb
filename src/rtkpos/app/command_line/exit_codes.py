"""Exit codes of the program; 2, 3 and 5 of errors stand with their types in `rtkpos.errors`.

0 done, 1 wrong usage, 2 unreadable or unusable input, 3 no solution, 4 partial (some epochs without
a position, or the input was damaged), 5 internal; 130 and 143 after SIGINT, SIGTERM.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_USAGE = 1
EXIT_PARTIAL = 4
EXIT_INTERNAL = 5
EXIT_SIGINT = 130
EXIT_SIGTERM = 143
