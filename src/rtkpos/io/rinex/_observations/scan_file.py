"""One RINEX observation file: the scan kernels driven over its text, events between epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtkpos._arrays import FlagArray, IndexArray
from rtkpos.core.tables import EVENT_ANTENNA_MOVED, EVENT_MARK
from rtkpos.errors import RinexError
from rtkpos.gnss.systems import GPS, N_SAT, PRN_PER_SYSTEM, SYSTEM_LETTERS, sat_from_name
from rtkpos.io.rinex._observations.columns import build_columns, signals_by_system
from rtkpos.io.rinex._observations.epoch_line import (
    HEAD_COUNT,
    HEAD_FLAG,
    HEAD_TIME,
    N_HEAD,
    is_marker,
)
from rtkpos.io.rinex._observations.epoch_set import EpochSet
from rtkpos.io.rinex._observations.epochs import scan_epochs
from rtkpos.io.rinex._observations.field_text import N_KIND, Columns, FieldWork
from rtkpos.io.rinex._observations.lines import (
    CUR_DEFAULT_SYSTEM,
    CUR_EPOCHS,
    CUR_EVENT,
    CUR_POSITION,
    CUR_ROWS,
    CUR_VERSION,
    FIELDS_PER_LINE_2,
    N_BAD_PRN,
    N_COUNTER,
    N_CURSOR,
    N_EPOCH_BAD_HEADER,
    N_EPOCH_COUNT_WRONG,
    N_EPOCH_TRUNCATED,
    N_LINE,
    N_SATELLITE_COUNT_WRONG,
    N_UNKNOWN_SYSTEM,
    SATS_PER_LINE_2,
    SCAN_END,
    SCAN_EVENT,
    SCAN_FULL,
    EpochRows,
    ObsRows,
    ScanWork,
)
from rtkpos.io.rinex._observations.merge import to_gpst
from rtkpos.io.rinex._observations.scan_report import no_epochs, report_counters
from rtkpos.io.rinex._observations.type_lists import settle_beidou_1c, settle_types
from rtkpos.io.rinex.header import ObsHeader, check_types, drop_doubtful, read_header
from rtkpos.io.text.file_ends import without_file_ends
from rtkpos.records.observations import EventRecord, Station
from rtkpos.records.report import ReadReport

_MIN_ROWS, _FIRST_ROWS = 4096, 1 << 18
_SPARE = 1.02  # room for rows beyond what the text read so far lets expect
_MUCH = 0.9  # share of an array that must be in use for the rest to be kept
_MAX_CLAIM = 999
_MAX_HEADER = 100_000
_FIRST_LABEL = "RINEX VERSION / TYPE"
_LABEL = _FIRST_LABEL.encode()
_MANY_SLASHES = 1000
_TROUBLE = [
    N_EPOCH_BAD_HEADER,
    N_EPOCH_COUNT_WRONG,
    N_EPOCH_TRUNCATED,
    N_SATELLITE_COUNT_WRONG,
    N_BAD_PRN,
    N_UNKNOWN_SYSTEM,
]


@dataclass
class FileScan:
    """Where the reading of one file stands, and what it has found."""

    header: ObsHeader
    text: FlagArray
    words: NDArray[np.uint64]
    systems: tuple[int, ...]
    columns: Columns
    fields: FieldWork
    work: ScanWork
    cursor: IndexArray
    counts: IndexArray
    first: IndexArray
    events: list[EventRecord] = field(default_factory=list)
    signals: dict[int, tuple[str, ...]] = field(default_factory=dict)
    station: Station = field(default_factory=Station)

    @property
    def report(self) -> ReadReport:
        """The report of the file."""
        return self.header.report


def split_recordings(content: bytes) -> list[bytes]:
    """The recordings of a text: one, or one per header where files were put behind each other.

    content : RINEX text      A header inside an event record (flag 4) belongs to its recording,
    and a stray label without the rest of a header is no header.
    """
    starts = [0]
    found = _find_label(content, content.find(b"END OF HEADER"))
    while found > 0:
        start = content.rfind(b"\n", 0, found) + 1
        before = content.rfind(b"\n", 0, max(start - 1, 0)) + 1
        previous = content[before:start].rstrip()
        is_event = previous.startswith(b">") or previous[26:29].strip() == b"4"
        end = content.find(b"END OF HEADER", found, found + _MAX_HEADER)
        is_whole = end > 0 and content.find(b"\n> ", found, end) < 0
        if found - start == 60 and is_whole and not is_event:
            starts.append(start)
        found = _find_label(content, found + len(_LABEL))
    if len(starts) == 1:
        return [content]
    return [content[a:b] for a, b in zip(starts, [*starts[1:], len(content)], strict=True)]


def _find_label(content: bytes, start: int) -> int:
    """Where the next label of a first header line begins, from `start` on; -1 when nowhere.

    Its slash is looked for, which data do not contain: one character is found many times as fast
    as a word. Where there are many, the word is.
    """
    if start < 0:
        return -1
    slash, at = _LABEL.index(b"/"), start
    for _ in range(_MANY_SLASHES):
        found = content.find(b"/", at)
        if found < 0:
            return -1
        first = found - slash
        if first >= start and content.startswith(_LABEL, first):
            return first
        at = found + 1
    return content.find(_LABEL, max(at - slash, start))


def scan_file(content: bytes, name: str, systems: tuple[int, ...]) -> tuple[FileScan, EpochSet]:
    """Read one file: header, events and epochs in file order with GPST tags.

    content : RINEX text      RinexError when the header is unusable or no epoch could be read
    """
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    header, start = read_header(content, name)
    settle_types(header, content, start)
    settle_beidou_1c(header, content, start)
    time_system, station = header.default_time_system(), header.as_station()
    scan = _start(header, content, start, systems)
    scan.station = station
    epochs = _run(scan)
    if scan.counts[_TROUBLE].any():  # looking for the marks in every file would cost time
        cleaned = without_file_ends(content)
        if len(cleaned) < len(content):
            return scan_file(cleaned, name, systems)
    report_counters(header, content, scan.counts, scan.first)
    if not len(epochs.time_ns):
        raise RinexError(no_epochs(header, content, scan.first), name)
    if header.version < 3:
        present = np.unique(epochs.rows.sat // PRN_PER_SYSTEM).tolist()
        scan.signals = {key: codes for key, codes in scan.signals.items() if key in present}
    epochs.time_ns = to_gpst(epochs.time_ns, time_system)
    for k, event in enumerate(scan.events):
        if event.time_ns >= 0:
            time_ns = int(to_gpst(np.array([event.time_ns]), time_system)[0])
            scan.events[k] = EventRecord(time_ns=time_ns, flag=event.flag, lines=event.lines)
    return scan, epochs


def _start(header: ObsHeader, content: bytes, position: int, systems: tuple[int, ...]) -> FileScan:
    """A scan that stands at the first line after the header."""
    columns = build_columns(header, systems)
    letter_system = np.full(256, -1, np.int64)
    for system, letter in enumerate(SYSTEM_LETTERS):
        letter_system[ord(letter)] = system
    cursor = np.zeros(N_CURSOR, np.int64)
    cursor[CUR_POSITION], cursor[CUR_VERSION] = position, int(header.version)
    cursor[CUR_DEFAULT_SYSTEM] = max(SYSTEM_LETTERS.find(header.file_system), GPS)
    return FileScan(
        header=header,
        text=np.frombuffer(content, np.uint8),
        words=np.frombuffer(content, np.uint64, len(content) // 8),
        systems=systems,
        columns=columns,
        fields=_field_work(columns),
        work=_scan_work(columns, header.version, letter_system),
        cursor=cursor,
        counts=np.zeros(N_COUNTER, np.int64),
        first=np.full(N_COUNTER, -1, np.int64),
        signals=signals_by_system(columns),
    )


def _field_work(columns: Columns) -> FieldWork:
    """Scratch for the fields of one epoch."""
    n_slot = columns.sig.shape[1]
    return FieldWork(np.empty((N_SAT, N_KIND * n_slot)), np.empty((N_SAT, n_slot), np.uint8))


def _scan_work(columns: Columns, version: float, letter_system: IndexArray) -> ScanWork:
    """Scratch for one epoch: room for the lines of the largest count a line can claim."""
    per_sat = -(-int(columns.n_col.max()) // FIELDS_PER_LINE_2) if version < 3 else 1
    n_line = _MAX_CLAIM * (per_sat + 1) + 2
    return ScanWork(
        line_start=np.zeros(n_line, np.int64),
        line_stop=np.zeros(n_line, np.int64),
        sat=np.zeros(N_SAT, np.int64),
        first_line=np.zeros(N_SAT, np.int64),
        seen=np.zeros(N_SAT, np.int64),
        slip=np.zeros(N_SAT, np.uint8),
        head=np.zeros(N_HEAD, np.int64),
        line=np.zeros(N_LINE, np.int64),
        letter_system=letter_system,
    )


def _output(n_epoch: int, n_row: int) -> tuple[EpochRows, ObsRows]:
    """Output arrays of the scan."""
    epochs = EpochRows(
        np.empty(n_epoch, np.int64),
        np.empty(n_epoch, np.uint8),
        np.empty(n_epoch),
        np.empty(n_epoch, np.int64),
        np.empty(n_epoch, np.int64),
    )
    floats = [np.empty(n_row) for _ in range(4)]
    names = [np.empty(n_row, np.int16) for _ in range(2)]
    rows = ObsRows._make([*names, *floats, np.empty(n_row, np.uint8)])
    return epochs, rows


def _run(scan: FileScan) -> EpochSet:
    """Call the kernel until the text ends; its output grows where it does not fit."""
    n_row = min(max(len(scan.text) // 16, _MIN_ROWS), _FIRST_ROWS)
    epochs, rows = _output(n_row // 4, n_row)
    status = -1
    while status != SCAN_END:
        status = scan_epochs(
            scan.text,
            scan.words,
            scan.columns,
            scan.fields,
            scan.work,
            epochs,
            rows,
            scan.cursor,
            scan.counts,
            scan.first,
        )
        if status == SCAN_EVENT:
            _take_event(scan)
        elif status == SCAN_FULL:
            epochs, rows = _larger(scan, epochs, rows)
    n_epoch = int(scan.cursor[CUR_EPOCHS])
    row_start = np.concatenate([[0], epochs.row_stop[:n_epoch]])
    time_ns, event, rx_clock_s, *_ = (_filled(column, n_epoch) for column in epochs)
    filled = ObsRows._make(_filled(column, int(row_start[-1])) for column in rows)
    return EpochSet(time_ns, event, rx_clock_s, row_start, filled)


def _larger(scan: FileScan, epochs: EpochRows, rows: ObsRows) -> tuple[EpochRows, ObsRows]:
    """Output arrays that the rest of the text should fit into, with what there is."""
    n_epoch, n_row = int(scan.cursor[CUR_EPOCHS]), int(scan.cursor[CUR_ROWS])
    share = max(int(scan.cursor[CUR_POSITION]), 1) / len(scan.text)
    grown = _output(
        max(int(n_epoch / share * _SPARE), 2 * len(epochs.time_ns)),
        max(int(n_row / share * _SPARE), len(rows.sat) + len(rows.sat) // 2),
    )
    for columns, old, n in zip(grown, (epochs, rows), (n_epoch, n_row), strict=True):
        for column, values in zip(columns, old, strict=True):
            column[:n] = values[:n]
    return grown


def _filled(column: NDArray[Any], n: int) -> NDArray[Any]:
    """The first n values, without the memory behind them where that is much."""
    return column[:n] if n > _MUCH * len(column) else column[:n].copy()


def _take_event(scan: FileScan) -> None:
    """Read the special records at the cursor (flags 2-6) and move the cursor behind them."""
    head = scan.work.head
    flag, count = int(head[HEAD_FLAG]), int(head[HEAD_COUNT])
    position = int(scan.cursor[CUR_POSITION])
    head_line, position = _line(scan.text, position)
    lines: list[str] = []
    wanted = _slip_lines(scan, count) if flag == 6 else count
    while len(lines) < wanted and position < len(scan.text):
        line, after = _line(scan.text, position)
        stop = position + len(line.rstrip("\r\0 \t"))
        if is_marker(scan.text, position, stop, scan.cursor[CUR_VERSION]):
            scan.report.add("event_cut", scan.header.name)
            break
        lines.append(line.rstrip("\r\0 \t"))
        position = after
    if flag == 6:
        _mark_slips(scan, head_line, lines, count)
    elif not _apply_event(scan, flag, lines):
        _note_damaged_epoch(scan)
    scan.cursor[CUR_POSITION] = position
    scan.events.append(EventRecord(time_ns=int(head[HEAD_TIME]), flag=flag, lines=tuple(lines)))


def _note_damaged_epoch(scan: FileScan) -> None:
    """Count an observation epoch whose flag reads as an event's."""
    scan.counts[N_EPOCH_BAD_HEADER] += 1
    if scan.first[N_EPOCH_BAD_HEADER] < 0:
        scan.first[N_EPOCH_BAD_HEADER] = scan.cursor[CUR_POSITION]


def _line(text: FlagArray, position: int) -> tuple[str, int]:
    """The line at `position`, without newline, and the start of the next; at most 4 kB are kept."""
    stop = position
    while True:
        window = text[stop : stop + 4096]
        hits = np.flatnonzero(window == 10)
        if len(hits) or len(window) < 4096:
            stop += int(hits[0]) if len(hits) else len(window)
            break
        stop += 4096
    line = text[position : min(stop, position + 4096)].tobytes().decode("latin-1")
    return line, min(stop + 1, len(text))


def _slip_lines(scan: FileScan, count: int) -> int:
    """How many lines the slip records of `count` satellites take."""
    if scan.cursor[CUR_VERSION] >= 3:
        return count
    n_col = int(scan.columns.n_col[scan.cursor[CUR_DEFAULT_SYSTEM]])
    return max((count - 1) // SATS_PER_LINE_2, 0) + count * -(-n_col // FIELDS_PER_LINE_2)


def _mark_slips(scan: FileScan, head_line: str, lines: list[str], count: int) -> None:
    """Note the satellites of slip records; their next observations carry LLI bit 0."""
    if scan.cursor[CUR_VERSION] >= 3:
        names = [line[:3] for line in lines]
    else:
        n_more = max((count - 1) // SATS_PER_LINE_2, 0)
        listed = "".join(line[32:68].ljust(36) for line in [head_line, *lines[:n_more]])
        letter = SYSTEM_LETTERS[int(scan.cursor[CUR_DEFAULT_SYSTEM])]
        names = [listed[3 * k : 3 * k + 3] for k in range(min(count, len(listed) // 3))]
        names = [letter + name[1:] if name[:1] == " " else name for name in names]
    sats = [sat_from_name(name) for name in names]
    scan.work.slip[[sat for sat in sats if sat >= 0]] = 1


def _apply_event(scan: FileScan, flag: int, lines: list[str]) -> bool:
    """Set the event bit of the next epoch and take header lines; False when no event was meant."""
    if flag in (2, 3):
        scan.cursor[CUR_EVENT] |= EVENT_ANTENNA_MOVED
    elif flag == 5:
        scan.cursor[CUR_EVENT] |= EVENT_MARK
    header = scan.header
    old_types = {key: list(codes) for key, codes in header.types.items()}
    old_claims = dict(header.claimed)
    labels = set()
    for line in lines:
        if line[60:].startswith(_FIRST_LABEL):
            labels.add(_FIRST_LABEL)
            continue
        try:
            labels.add(header.update(line))
        except RinexError:
            header.report.add("event_bad_header", header.name)
    if labels & {"# / TYPES OF OBSERV", "SYS / # / OBS TYPES"}:
        try:
            check_types(header)
            drop_doubtful(header, list(header.doubtful))
        except RinexError as error:
            header.report.warn(f"{error} The types before stay in force.")
            header.types, header.claimed = old_types, old_claims
        _change_columns(scan)
    looks_like_data = bool(lines) and labels == {""} and sat_from_name(lines[0][:3]) >= 0
    return not (looks_like_data and scan.cursor[CUR_VERSION] >= 3)


def _change_columns(scan: FileScan) -> None:
    """Rebuild the column tables after a change of observation types."""
    old = scan.work
    scan.columns = build_columns(scan.header, scan.systems)
    scan.fields = _field_work(scan.columns)
    fresh = _scan_work(scan.columns, scan.header.version, old.letter_system)
    scan.work = fresh._replace(slip=old.slip, head=old.head)
    for system, codes in signals_by_system(scan.columns).items():
        known = scan.signals.get(system, ())
        scan.signals[system] = known + tuple(code for code in codes if code not in known)
