"""Write the keys into docs/how-to/simulate.md: python tools/docs/make_scenario_table.py."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtkpos.simulate.scenario.scenario import LISTS, SECTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "simulate.md"
START, END = "<!-- keys:start -->", "<!-- keys:end -->"


def tables() -> str:
    """Every section as Markdown: its keys with default, limits and meaning."""
    parts = [table(f"[{name}]", kind) for name, kind in SECTIONS.items()]
    parts += [table(f"[[{name}]]", kind) for name, kind in LISTS.items()]
    return "\n\n".join(parts)


def table(title: str, kind: type) -> str:
    """One section."""
    intro = (inspect.getdoc(kind) or "").replace("\n", " ").replace("`", "")
    lines = [
        f"### `{title}`",
        "",
        intro.split(": see")[0].split("  ")[0].rstrip(".") + ".",
        "",
        "| key | default | allowed | meaning |",
        "|---|---|---|---|",
    ]
    for item in dataclasses.fields(kind):
        rule = item.metadata
        default = "required" if item.default is dataclasses.MISSING else f"`{shown(item.default)}`"
        lines.append(f"| `{item.name}` | {default} | {limits(rule)} | {rule['says']} |")
    return "\n".join(lines)


def shown(value: Any) -> str:
    """A default as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}"


def limits(rule: Mapping[str, Any]) -> str:
    """What is allowed, shortly."""
    if "switch" in rule:
        return "true, false"
    if "choices" in rule:
        return ", ".join(rule["choices"]) or "text"
    if "columns" not in rule:
        what = f"{number(rule['low'])} to {number(rule['high'])}"
        return f"0, {what}" if rule.get("or_zero") else what
    spans = (f"{name} {number(low)} to {number(high)}" for name, low, high in rule["columns"])
    return ("rows of " if rule["is_list"] else "") + ", ".join(spans)


def number(value: float) -> str:
    """A limit, whole ones without an exponent."""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def main() -> None:
    """Put the tables between the markers of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{START}\n{tables()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
