"""Made-up ANTEX files."""

from __future__ import annotations


def _line(content, label):
    return f"{content:<60}{label:<20}\n"


def frequency(code, pco_neu_mm=(0.0, 0.0, 0.0), value="    0.00", n_zenith=19):
    """One frequency without azimuths; `value` stands at every zenith angle."""
    text = _line(f"   {code}", "START OF FREQUENCY")
    text += _line("".join(f"{v:10.2f}" for v in pco_neu_mm), "NORTH / EAST / UP")
    text += f"   NOAZI{value * n_zenith}\n"
    return text + _line(f"   {code}", "END OF FREQUENCY")


def block(name, frequencies, zenith=(0.0, 90.0, 5.0)):
    """One antenna; name as in columns 1 to 40."""
    head = _line("", "START OF ANTENNA") + _line(name, "TYPE / SERIAL NO")
    head += _line("     0.0", "DAZI")
    head += _line("  " + "".join(f"{v:6.1f}" for v in zenith), "ZEN1 / ZEN2 / DZEN")
    head += _line(f"{frequencies.count('START OF FREQUENCY'):6d}", "# OF FREQUENCIES")
    head = head.replace("     2 ", "     1 ")  # "X9A" is none we know
    return head + frequencies + _line("", "END OF ANTENNA")


def antex_text(*blocks):
    """A whole file as bytes."""
    head = _line("     1.4            M", "ANTEX VERSION / SYST")
    head += _line("A", "PCV TYPE / REFANT") + _line("", "END OF HEADER")
    return (head + "".join(blocks)).encode()
