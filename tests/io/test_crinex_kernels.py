"""Kernels of the CRINEX decoder on lines made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rtkpos.io.rinex.crinex_decode import (
    ARC_SIZE,
    CRX_DAMAGED,
    CRX_END,
    CRX_EVENT,
    CRX_FULL,
    CUR_BLANK,
    CUR_EPOCH,
    CUR_FORMAT,
    CUR_IN,
    CUR_LENGTH,
    CUR_OUT,
    CUR_WHY,
    N_CURSOR_CRX,
    WHY_CUT,
    WHY_FIELD,
    WHY_HEAD,
    WHY_NAME,
    WHY_START,
    crinex_state,
    decode_epochs,
    name_index,
    put_epoch,
    put_head,
    put_number,
    put_satellite,
    take_value,
)

pytestmark = pytest.mark.plain
HEAD = "2024 01 01 00 00  0.0000000  0"
EPOCH = f"> {HEAD}  1      G01\n\n3&100123 3&-500  12&3\n"


def as_bytes(text):
    """A text as bytes and as words of the same memory."""
    data = text.encode()
    return np.frombuffer(data, np.uint8), np.frombuffer(data, np.uint64, len(data) // 8)


def state_of(n_obs=3):
    counts = np.full(128, -1, np.int64)
    counts[ord("G")] = counts[ord(" ")] = n_obs
    return crinex_state(counts)


def taken(fields, arc=None):
    """The values of fields read one after the other into an arc; None where one is refused."""
    arc = np.full(ARC_SIZE, -1, np.int64) if arc is None else arc
    values = []
    for field in fields:
        data, _ = as_bytes(field + " ")
        at = take_value(data, 0, len(field), arc)
        values.append(int(arc[2]) if at == len(field) else None)
        if at < 0:
            break
    return values


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_differences_rebuild_the_values(order):
    values = np.random.default_rng(order).integers(-(10**9), 10**9, 12).tolist()
    fields, differences = [], [values]
    for k in range(1, order + 1):
        differences.append(np.diff(values, k).tolist())
    for n in range(len(values)):
        k = min(n, order)
        fields.append(f"{order}&{values[0]}" if n == 0 else str(differences[k][n - k]))
    assert taken(fields) == values


def test_what_is_no_field_is_refused():
    assert taken(["3&12", "x"]) == [12, None]
    assert taken(["12"]) == [None], "no arc began"
    assert taken(["3&"]) == [None]
    assert taken(["9&5"]) == [5]
    assert taken([":&5"]) == [None], "an order of ten"
    assert taken(["3&" + "9" * 18]) == [10**18 - 1]
    assert taken(["3&" + "9" * 19]) == [None]
    assert taken(["1&5", "1/"]) == [5, None]
    assert taken(["1&5", "-"]) == [5, None]


def test_a_field_ends_where_the_line_ends():
    data, _ = as_bytes("3&5")
    assert take_value(data, 0, 1, np.full(ARC_SIZE, -1, np.int64)) == -1


def test_an_empty_field_ends_the_arc():
    arc = np.zeros(ARC_SIZE, np.int64)
    data, _ = as_bytes("  ")
    assert take_value(data, 0, 2, arc) == 0
    assert arc[0] == -1


@pytest.mark.parametrize(
    ("value", "decimals", "width", "wanted"),
    [
        (100123, 3, 14, "       100.123"),
        (-100123, 3, 14, "      -100.123"),
        (0, 3, 14, "          .000"),
        (-5, 3, 14, "         -.005"),
        (9999999999999, 3, 14, "9999999999.999"),
        (-999999999999, 3, 14, "-999999999.999"),
        (-250000000, 12, 15, "  -.000250000000"[1:]),
    ],
)
def test_numbers_are_right_aligned_without_a_leading_zero(value, decimals, width, wanted):
    out = np.full(width + 2, ord(" "), np.uint8)
    assert put_number(value, decimals, width, out, 1)
    assert out.tobytes().decode() == f" {wanted} "


@pytest.mark.parametrize("value", [10**13, -(10**12), -(10**13)])
def test_too_wide_numbers_are_told_and_write_within_their_field(value):
    out = np.full(16, ord(" "), np.uint8)
    assert not put_number(value, 3, 14, out, 1)
    assert out[0] == out[15] == ord(" ")


def satellite(line, *, is_new=True, is_2=False, n_obs=3, state=None):
    """The text that the line of satellite G05 gives."""
    state = state or state_of(n_obs)
    data, _ = as_bytes(line + "\n")
    out = np.zeros(600, np.uint8)
    end = put_satellite(data, 0, len(line), 5, n_obs, is_new, state, is_2, out, 7)
    return out[7:end].tobytes().decode() if end >= 0 else None


def test_a_satellites_line_with_flags():
    assert satellite("3&100123 3&-500  12&3") == "       100.12312         -.500 3\n"
    assert satellite("3&1  3&45000") == "          .001" + " " * 18 + f"{45:14.3f}\n"
    assert satellite("3&1 3&2 3&3 4&5") == (
        "          .0014&          .0025           .003\n".replace("&", " ")
    )


def test_values_and_flags_go_on_from_the_epoch_before_unless_the_satellite_is_new():
    state = state_of()
    satellite("3&100123 3&-500  12", state=state)
    assert satellite("1000 -1", is_new=False, state=state) == "       101.12312         -.501\n"
    assert satellite("1000", is_new=True, state=state) is None
    state = state_of()
    satellite("3&1 3&2 3&3 123456", state=state)
    assert satellite("3&1 3&2 3&3", state=state) == (
        "          .001            .002            .003\n"
    )


def test_five_values_make_a_line_of_rinex_2_and_missing_ones_have_no_flags():
    line = " ".join(f"3&{k}" for k in range(1, 7))
    wanted = "".join(f"          .00{k}  " for k in range(1, 6)).rstrip() + "\n          .006\n"
    assert satellite(line, is_2=True, n_obs=6) == wanted
    # Two flags to a value: "1" of the first, "4" of the second, which is missing.
    assert satellite("3&1   1 4", is_2=True) == "          .0011\n"
    assert satellite("3&1   1 4") == "          .0011               4\n"


@pytest.mark.parametrize("line", ["3&1x 3&2", "3&99999999999999", "5 3&2"])
def test_damage_in_a_satellites_line(line):
    assert satellite(line) is None


def head(names, version, clock=None):
    """The epoch line (and its continuations) of some satellites."""
    state = state_of()
    text = f"> {HEAD}{len(names):3d}      " if version >= 3 else f" {HEAD[2:]}{len(names):3d}"
    text = text.ljust(41 if version >= 3 else 32) + "".join(names)
    state.line[: len(text)] = np.frombuffer(text.encode(), np.uint8)
    if clock is not None:
        state.clock[0], state.clock[2] = 0, clock
    out = np.zeros(300, np.uint8)
    end = put_head(state, len(names), version, out, 3)
    return text, out[3:end].tobytes().decode() if end >= 0 else None


def test_epoch_lines_of_rinex_3_hold_no_names():
    text, got = head(["G01", "G02"], 3)
    assert got == text[:35] + "\n"
    _, got = head(["G01", "G02"], 3, clock=-250000000)
    assert got == text[:35].ljust(41) + "  -.000250000000\n"[1:]
    assert head(["G01"], 3, clock=10**16)[1] is None


@pytest.mark.parametrize("n_sat", [1, 12, 13, 24, 25])
def test_epoch_lines_of_rinex_2_go_on_after_twelve_names(n_sat):
    names = [f"G{k + 1:02d}" for k in range(n_sat)]
    text, got = head(names, 2, clock=123456789)
    lines = [text[:32] + "".join(names[:12])]
    lines[0] = lines[0].ljust(68) + "  .123456789"
    lines += [" " * 32 + "".join(names[k : k + 12]) for k in range(12, n_sat, 12)]
    assert got == "".join(line + "\n" for line in lines)


def epoch(lines, n_sat=1, names="G01", state=None, number=5):
    """(return value, text, state) of the lines behind a RINEX 3 epoch line."""
    data, words = as_bytes(lines)
    state, cursor = state or state_of(), np.zeros(N_CURSOR_CRX, np.int64)
    text = f"> {HEAD}{n_sat:3d}".ljust(41) + names
    state.line[: len(text)] = np.frombuffer(text.encode(), np.uint8)
    cursor[CUR_FORMAT], cursor[CUR_EPOCH] = 3, number
    out = np.zeros(600, np.uint8)
    position = put_epoch(data, words, 0, n_sat, cursor, state, out)
    return position, out[: cursor[CUR_OUT]].tobytes().decode(), state


def test_lines_behind_an_epoch_line():
    lines = "\n3&100123\n3&5 3&6\n"
    position, text, state = epoch(lines, 2, "G01G31")
    assert position == len(lines)
    values = "G01       100.123\nG31          .005            .006\n"
    assert text == f"> {HEAD}  2\n" + values
    assert state.seen[name_index(np.frombuffer(b"G31", np.uint8), 0)] == 5


def test_arcs_go_on_from_the_epoch_before_alone():
    _, _, state = epoch("\n3&100\n")
    _, text, _ = epoch("\n7\n", state=state, number=6)
    assert text.endswith("G01          .107\n")
    position, _, _ = epoch("\n7\n", state=state, number=8)
    assert position == -1 - WHY_FIELD, "it was not in epoch 7"


@pytest.mark.parametrize(
    ("lines", "names", "why"),
    [
        ("\n3&1", "G01", WHY_CUT),
        ("", "G01", WHY_CUT),
        ("x\n3&1\n", "G01", WHY_FIELD),
        ("\n1\n", "G01", WHY_FIELD),
        ("\n3&1\n", "E01", WHY_NAME),
        ("\n3&1\n", "G0x", WHY_NAME),
    ],
)
def test_damage_behind_an_epoch_line(lines, names, why):
    position, text, _ = epoch(lines, 1, names)
    assert (position, text) == (-1 - why, "")


def decode(text, *, room=200, size=2000, blank=None):
    """(status, text, cursor) of a RINEX 3 body."""
    data, words = as_bytes(text)
    cursor, out = np.zeros(N_CURSOR_CRX, np.int64), np.zeros(size, np.uint8)
    cursor[CUR_FORMAT], cursor[CUR_BLANK] = 3, len(text) if blank is None else blank
    status = decode_epochs(data, words, cursor, state_of(), room, out)
    return status, out[: cursor[CUR_OUT]].tobytes().decode(), cursor


OUT = f"> {HEAD}  1\nG01       100.12312         -.500 3\n"


def test_epochs_until_the_end():
    status, text, cursor = decode(EPOCH + "                   3\n\n1000   &\n")
    second = OUT.replace(" 0.0000000", "30.0000000").replace("100.12312", "101.123 2")
    assert (status, text) == (
        CRX_END,
        OUT + second.replace("         -.500 3", " " * 15 + "3"),
    )
    assert cursor[CUR_IN] == len(EPOCH) + 31


def test_events_and_full_outputs_stop_the_decoder_at_their_line():
    event = "> 2024 01 01 00 00 30.0000000  4  1\nmoved\n"
    status, text, cursor = decode(EPOCH + event)
    assert (status, text, cursor[CUR_IN]) == (CRX_EVENT, OUT, len(EPOCH))
    status, text, cursor = decode(EPOCH + EPOCH, room=100, size=len(OUT) + 99)
    assert (status, text, cursor[CUR_IN]) == (CRX_FULL, OUT, len(EPOCH))
    assert decode(EPOCH + EPOCH, room=100, size=len(OUT) + 100)[:2] == (CRX_END, OUT + OUT)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("                   3\n\n3&1\n", WHY_START),
        (EPOCH[:40], WHY_CUT),
        (EPOCH.replace("  1  ", "  2  "), WHY_HEAD),
        (EPOCH.replace("  1  ", "  x  "), WHY_HEAD),
        (EPOCH.replace("  0  1", "  /  1"), WHY_HEAD),
        (EPOCH.replace("3&-500", "3&-"), WHY_FIELD),
    ],
)
def test_damage_is_told_at_its_line(text, why):
    status, out, cursor = decode(text)
    assert (status, out, cursor[CUR_WHY]) == (CRX_DAMAGED, "", why)
    status, out, cursor = decode(EPOCH + text) if why != WHY_START else decode(text)
    assert (status, cursor[CUR_WHY]) == (CRX_DAMAGED, why)


def test_blank_ends_are_left_alone():
    status, text, cursor = decode(EPOCH + "   \n", blank=len(EPOCH))
    assert (status, text, cursor[CUR_IN]) == (CRX_END, OUT, len(EPOCH))
    assert cursor[CUR_LENGTH] == 44
