"""The facts of `rtkpos info` as lines of text."""

from __future__ import annotations

from typing import Any

from rtkpos.gnss.systems import SYSTEM_LETTERS, SYSTEM_NAMES


def info_lines(facts: dict[str, Any]) -> list[str]:
    """All lines: every observation file, the navigation files, the pair, what stops a fix."""
    lines: list[str] = []
    for entry in facts["observations"]:
        lines += [*_obs_lines(entry), ""]
    if facts["navigation"] is not None:
        lines += [*_nav_lines(facts["navigation"]), ""]
    if facts["pair"] is not None:
        lines += [*_pair_lines(facts["pair"]), ""]
    if facts["obstacles"]:
        lines.append("What would stop or hinder a fix:")
        lines += [f"  - {text}" for text in facts["obstacles"]]
    elif facts["pair"] is not None:
        lines.append("Nothing found that would stop a fix.")
    if facts["remarks"]:
        lines += ["", "Worth knowing:", *(f"  - {text}" for text in facts["remarks"])]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _obs_lines(entry: dict[str, Any]) -> list[str]:
    """One observation file."""
    lines = [f"{', '.join(entry['files'])}: observations, RINEX {entry['version']:.2f}"]
    step = entry["interval_s"]
    step_text = "" if step is None else f", every {step:g} s"
    span = " to ".join(entry["span_gpst"])
    lines.append(f"  epochs     {entry['epochs']}{step_text}, {span} GPST")
    if entry["gaps"]:
        first = entry["first_gaps"][0]
        lines.append(
            f"  gaps       {entry['gaps']} with {entry['missing_epochs']} epochs missing; "
            f"the first {first['seconds']:g} s after {first['after_gpst']}"
        )
    equipment = [f"{n} {entry[n]}" for n in ("marker", "receiver") if entry[n]]
    if equipment:
        lines.append(f"  equipment  {', '.join(equipment)}")
    lines.append(f"  antenna    {_antenna(entry)}")
    lines.append(f"  header at  {_place(entry['header_position'])}")
    if "code_position" in entry:
        lines.append(f"  code at    {_place(entry['code_position'])}")
    lines.append("  system     satellites  per epoch  signals: code/phase values")
    for letter, system in entry["systems"].items():
        lines.append(_system_line(letter, system))
    lines += _tracking_lines(entry["tracking"])
    return lines + _remarks(entry)


def _antenna(entry: dict[str, Any]) -> str:
    """Type, radome and place of the antenna."""
    east, north, up = entry["antenna_enu_m"]
    name = " ".join(entry["antenna"].split()) or "of unknown type"
    aside = f" ({east:.4f} E, {north:.4f} N)" if east or north else ""
    return f"{name}, {up:.4f} m above the marker{aside}"


def _tracking_lines(tracking: dict[str, Any]) -> list[str]:
    """How the receiver tracks."""
    words = {
        "code_noise_m": "codes scatter {:.1f} m",
        "loss_share": "loss of lock on {:.1%} of the phases",
        "half_share": "half-cycle flags on {:.1%}",
        "cn0_dbhz": "signals {:.0f} dB-Hz",
    }
    parts = [text.format(tracking[k]) for k, text in words.items() if tracking[k] is not None]
    return [f"  tracking   {', '.join(parts)}"] if parts else []


def _system_line(letter: str, system: dict[str, Any]) -> str:
    """Satellites and signals of one system."""
    name = f"{letter} {SYSTEM_NAMES[SYSTEM_LETTERS.index(letter)]}"
    signals = "  ".join(f"{c} {v['code']}/{v['phase']}" for c, v in system["signals"].items())
    return (
        f"  {name:<10} {len(system['satellites']):10d}  {system['mean_per_epoch']:9.1f}  {signals}"
    )


def _place(place: dict[str, Any] | None) -> str:
    """A point in degrees and as ECEF."""
    if place is None:
        return "no position"
    lat, lon, height = place["llh_deg"]
    x, y, z = place["ecef_m"]
    return f"{lat:.8f} {lon:.8f} {height:.3f} m  (X {x:.3f} Y {y:.3f} Z {z:.3f})"


def _nav_lines(entry: dict[str, Any]) -> list[str]:
    """The navigation files together."""
    lines = [f"{', '.join(entry['files'])}: navigation, {entry['ephemerides']} ephemerides"]
    for letter, system in entry["systems"].items():
        name = f"{letter} {SYSTEM_NAMES[SYSTEM_LETTERS.index(letter)]}"
        messages = ", ".join(f"{n} {m}" for m, n in system["messages"].items())
        span = " to ".join(system["span_gpst"])
        line = f"  {name:<10} {len(system['satellites']):3d} satellites, {messages}, {span}"
        bad = system["unhealthy"]
        lines.append(line + (f", unhealthy {' '.join(bad)}" if bad else ""))
    if entry["ionosphere"]:
        lines.append(f"  ionosphere {', '.join(entry['ionosphere'])}")
    return lines + _remarks(entry)


def _remarks(entry: dict[str, Any]) -> list[str]:
    """Warnings and skips of the reader."""
    lines = [f"  warning    {text}" for text in entry["warnings"]]
    return lines + [f"  skipped    {text}" for text in entry["skipped"]]


def _pair_lines(pair: dict[str, Any]) -> list[str]:
    """The two observation files together."""
    lines = [f"{', '.join(pair['rover'])} as rover, {', '.join(pair['base'])} as base"]
    overlap = " to ".join(pair["overlap_gpst"]) or "none"
    lines.append(f"  overlap    {overlap} ({pair['overlap_s']:g} s)")
    lines.append(f"  epochs     {pair['rover_epochs_with_base']} rover epochs with a base epoch")
    for letter, common in pair["common"].items():
        name = f"{letter} {SYSTEM_NAMES[SYSTEM_LETTERS.index(letter)]}"
        bands = " ".join(common["bands"]) or "none"
        lines.append(f"  {name:<10} {len(common['satellites']):3d} satellites, bands {bands}")
    if pair["signals"]:
        words = [f"{letter} {', '.join(pairs)}" for letter, pairs in pair["signals"].items()]
        lines.append(f"  signals    paired {'; '.join(words)}")
    common = pair["common_satellites"]
    if common is not None:
        lines.append(
            f"  satellites {common['both']:.0f} per epoch with carrier phases at both (rover "
            f"{common['rover']:.0f}, base {common['base']:.0f})"
        )
    for i, text in enumerate(pair["pairing"]):
        lines.append(f"  {'' if i else 'pairing':<10} {text}")
    if pair["baseline_m"] is not None:
        lines.append(f"  baseline   {pair['baseline_m']:.1f} m by the headers")
    return lines
