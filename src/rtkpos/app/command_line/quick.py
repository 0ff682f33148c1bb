"""Plain uses of `rtkpos solve`, understood without the parser of `cli`.

Setting up that parser takes as long as solving six minutes of observations. This one knows fewer
ways to write the same, complains about nothing, and leaves to the other all that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtkpos.app.command_line.choices import Ar, BaseFrom, Direction, Format, Mode, PointOf, Profile

if TYPE_CHECKING:
    from rtkpos.app.solve.request import SolveRequest


class Word(NamedTuple):
    """An option of `solve`.

    field : of SolveRequest, or a path in its `options`      make : value of a word, ValueError
    n : words it takes      is_many : whether it may stand several times
    """

    field: str
    make: Callable[[str], Any] = str
    n: int = 1
    is_many: bool = False


_BASE, _NAV = Word("base", Path, is_many=True), Word("nav", Path, is_many=True)
_OUTPUT, _CONFIG = Word("output", Path), Word("config", Path)
_XYZ, _LLH = Word("base_xyz", float, n=3), Word("base_llh", float, n=3)
_MASK, _QUIET = Word("selection.elevation_mask_deg", float), Word("quiet", n=0)

WORDS = {
    "--base": _BASE,
    "-b": _BASE,
    "--nav": _NAV,
    "-n": _NAV,
    "--mode": Word("mode", lambda word: Mode(word).value),
    "--ar": Word("ar", lambda word: Ar(word).value),
    "--profile": Word("profile", lambda word: Profile(word).value),
    "--direction": Word("direction", lambda word: Direction(word).value),
    "--static-start": Word("static_start_s", float),
    "--systems": Word("selection.systems"),
    "--bands": Word("selection.bands"),
    "--stations": Word("stations", Path),
    "--base-xyz": _XYZ,
    "-r": _XYZ,
    "--base-llh": _LLH,
    "-l": _LLH,
    "--base-position": Word("base_position", lambda word: BaseFrom(word).value),
    "--antex": Word("antenna.antex", lambda word: str(Path(word))),
    "--rover-antenna": Word("antenna.rover"),
    "--base-antenna": Word("antenna.base"),
    "--coordinates": Word("antenna.coordinates", lambda word: PointOf(word).value),
    "--force": Word("base.force", n=0),
    "--config": _CONFIG,
    "-k": _CONFIG,
    "--elevation-mask": _MASK,
    "-m": _MASK,
    "--output": _OUTPUT,
    "-o": _OUTPUT,
    "--format": Word("format", lambda word: Format(word).value),
    "--tow": Word("week_and_tow", n=0),
    "--velocity": Word("with_velocity", n=0),
    "--summary": Word("summary", Path),
    "--truth": Word("truth"),
    "--strict": Word("strict", n=0),
    "--quiet": _QUIET,
    "-q": _QUIET,
}


def quick_request(words: Sequence[str]) -> SolveRequest | None:
    """The request of `solve ROVER [OPTIONS]`; None for other commands and whatever is unusual.

    words : as `expand_arguments` gives them
    """
    if not words or words[0] != "solve":
        return None
    found: dict[str, Any] = {"rover": ()}
    at = 1
    while at < len(words):
        if words[at].startswith("-"):
            option = WORDS.get(words[at])
            if option is None or not _take(option, words[at + 1 : at + 1 + option.n], found):
                return None
            at += option.n
        else:
            found["rover"] += (Path(words[at]),)
        at += 1
    return _request(found) if found["rover"] else None


def _take(option: Word, values: Sequence[str], found: dict[str, Any]) -> bool:
    """Put the value of an option into `found`; False for what the other parser should see."""
    is_again = option.field in found and not option.is_many
    if is_again or len(values) < option.n or any(word.startswith("--") for word in values):
        return False
    try:
        made = tuple(option.make(word) for word in values)
    except ValueError:
        return False
    if option.is_many:
        found[option.field] = (*found.get(option.field, ()), *made)
    elif option.n == 0:
        found[option.field] = True
    else:
        found[option.field] = made[0] if option.n == 1 else made
    return True


def _request(found: dict[str, Any]) -> SolveRequest:
    """The request of values by field; what is no field of it is an option of the configuration."""
    from rtkpos.app.solve.request import SolveRequest

    fields = SolveRequest.__dataclass_fields__
    plain = {name: value for name, value in found.items() if name in fields}
    options = {name: value for name, value in found.items() if name not in fields}
    return SolveRequest(**plain, options=options)
