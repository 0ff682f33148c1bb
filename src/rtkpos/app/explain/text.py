"""An explanation as lines of text: the long form of `explain`, the short one of `solve`."""

from __future__ import annotations

import textwrap

from rtkpos.constants import NS_PER_S
from rtkpos.diagnose.why import ExplainedSpan, Explanation
from rtkpos.gnss.time import iso_gpst
from rtkpos.records.status import REASON_TEXT, Reason

MAX_LONG, MAX_SHORT = 10, 3
MAX_CAUSES, MAX_ADVICE = 4, 6
WIDTH = 100


def explanation_lines(explanation: Explanation) -> list[str]:
    """The long form: every span with its causes, then what would help."""
    if explanation.wish:
        short_of = [
            f"  {n:6d}  {REASON_TEXT[Reason[name]]}" for name, n in explanation.rest.items()
        ]
        short_of = ["", "Epochs that fell short of this mode:", *short_of] if short_of else []
        return _wrapped("", explanation.wish) + short_of
    if not explanation.n_epoch:
        return ["There are no epochs to explain."]
    lines = [headline(explanation)]
    if not explanation.n_unfixed:
        return [*lines, *_wrapped("", margin_line(explanation))]
    said: dict[str, int] = {}
    for number, span in enumerate(explanation.spans[:MAX_LONG], 1):
        lines += ["", f"{number}. {_when(span)}", *_cause_lines(span, number, said)]
    lines += _rest_lines(explanation)
    if explanation.margins:
        lines += ["", *_wrapped("", margin_line(explanation))]
    lines += ["", "What would help, with the share of these epochs that it concerns:"]
    for cause, share in explanation.overall()[:MAX_ADVICE]:
        lines += _wrapped(f"  {100 * share:3.0f} %  ", f"{cause.name}: {cause.helps}.")
    return lines


def _cause_lines(span: ExplainedSpan, number: int, said: dict[str, int]) -> list[str]:
    """The causes of a span; a sentence that was said for an earlier span is not repeated.

    said : number of the span that said a sentence, completed here
    """
    lines = []
    for rank, cause in enumerate(span.causes[:MAX_CAUSES]):
        first = said.setdefault(cause.says, number)
        text = cause.says if first == number else f"as in span {first}"
        lines += _wrapped("   also     " if rank else "   because  ", f"{cause.name}: {text}.")
    return lines or ["   because  unclear: no measured number is unusual."]


def short_lines(explanation: Explanation) -> list[str]:
    """The short form for the end of a run: the longest spans with their first cause."""
    if explanation.wish or not explanation.n_unfixed:
        return (
            []
            if explanation.wish or not explanation.margins
            else [*_wrapped("", margin_line(explanation))]
        )
    lines = [headline(explanation)]
    for span in explanation.spans[:MAX_SHORT]:
        text = f"{span.causes[0].name}: {span.causes[0].says}" if span.causes else "unclear"
        lines += _wrapped(f"  {_when(span)}: ", f"{text}.", indent=4)
    for cause, share in explanation.overall()[:1]:
        lines += _wrapped(
            f"  what would help ({100 * share:.0f} % of these epochs): ",
            f"{cause.helps}.",
            indent=4,
        )
    if explanation.n_span > 1:
        lines.append("  `rtkpos explain` with the same words shows all spans and causes.")
    return lines


def headline(explanation: Explanation) -> str:
    """How much is not fixed."""
    total, n = explanation.n_epoch, explanation.n_unfixed
    if not n:
        return f"All {total} epochs are fixed."
    spans = f"{explanation.n_span} spans" if explanation.n_span != 1 else "1 span"
    return f"{n} of {total} epochs ({100.0 * n / total:.1f} %) are not fixed, in {spans}."


def margin_line(explanation: Explanation) -> str:
    """How near the fixed epochs came to the limits, in one line."""
    words = {
        "ratio_over_needed_min": "ratio at least {:.2f} times the needed one",
        "success_rate_min": "success rate at least {:.2%}",
        "probability_min": "integers right with at least {:.2%}",
        "postfit_max_mm": "phase residuals at most {:.0f} mm",
        "age_max_s": "corrections at most {:.0f} s old",
        "n_sat_min": "at least {:.0f} satellites",
    }
    found = explanation.margins
    parts = [text.format(found[name]) for name, text in words.items() if name in found]
    return f"Fixed epochs: {', '.join(parts)}." if parts else "No epoch is fixed."


def _when(span: ExplainedSpan) -> str:
    """Time, length and count of a span."""
    start, end = iso_gpst(span.start_ns, 0), iso_gpst(span.end_ns, 0)
    if start == end or span.n_epoch == 1:
        return f"{start} GPST, 1 epoch"
    end = end[11:] if end[:10] == start[:10] else end
    length = _duration((span.end_ns - span.start_ns) / NS_PER_S)
    count = (
        f"{span.n_unfixed} epochs"
        if span.n_unfixed == span.n_epoch
        else f"{span.n_unfixed} of {span.n_epoch} epochs"
    )
    return f"{start} to {end} GPST, {length}, {count}"


def _duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 120.0:
        return f"{seconds:g} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200.0 else f"{seconds / 3600:.1f} h"


def _rest_lines(explanation: Explanation) -> list[str]:
    """The spans that are not shown, counted."""
    shown = explanation.spans[:MAX_LONG]
    n_more = explanation.n_span - len(shown)
    if n_more <= 0:
        return []
    count: dict[str, int] = {}
    for span in explanation.spans[MAX_LONG:]:
        name = span.causes[0].name if span.causes else "unclear"
        count[name] = count.get(name, 0) + span.n_unfixed
    n_rest = sum(explanation.rest.values())
    if n_rest:
        count["shorter spans"] = n_rest
    words = ", ".join(f"{name} {n}" for name, n in sorted(count.items(), key=lambda i: -i[1]))
    spans = f"{n_more} more spans" if n_more > 1 else "1 more span"
    return ["", *_wrapped("", f"{spans}; their epochs by first cause: {words}.")]


def _wrapped(lead: str, text: str, indent: int | None = None) -> list[str]:
    """Text broken to the width, further lines under the first one's text."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * (len(lead) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
