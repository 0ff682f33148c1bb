"""What one receiver measures, block by block, and the truth behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rtkpos._arrays import BoolArray, FloatArray, IndexArray, SatArray, TimeArray
from rtkpos.constants import DEG, NS_PER_S, SPEED_OF_LIGHT_MPS
from rtkpos.gnss.signals import carrier_hz, sig_band
from rtkpos.gnss.systems import GLONASS, GPS
from rtkpos.io.rinex.write_observations import SystemBlock
from rtkpos.simulate.medium.ellipsoid import local_axes, place_llh
from rtkpos.simulate.medium.light_time import Rays, SampledAntenna, trace_rays
from rtkpos.simulate.medium.surroundings import View, view_of
from rtkpos.simulate.receiver.clocks import ReceiverClock, clock_of
from rtkpos.simulate.receiver.measurement_noise import Disturbance, multipath_factor, strength_dbhz
from rtkpos.simulate.receiver.phase_tracking import Tracked, Tracker
from rtkpos.simulate.receiver.trajectory import track_of
from rtkpos.simulate.scenario.scenario import Scenario
from rtkpos.simulate.scenario.sections import Site, Vehicle
from rtkpos.simulate.sky.beidou2 import at_elevation
from rtkpos.simulate.sky.signals import SignalSet
from rtkpos.simulate.sky.true_ephemeris import Motion
from rtkpos.simulate.world import World, stream_of

_C = SPEED_OF_LIGHT_MPS
_L1_HZ = carrier_hz(GPS, 1)
_MARGIN_RAD = 1.0 * DEG
_ROUGHNESS = 8.0  # multipath of a reflected signal over that of a direct one: walls are not mirrors


@dataclass(frozen=True)
class SystemTruth:
    """Truth of one system over a block.

    sat : (n_sat,)      trop_m, iono_l1_m, excess_m : (n_epoch, n_sat) slant delays, NaN unseen
    direct : (n_epoch, n_sat) line of sight      events : rows epoch, satellite index of the
    system, signal, integer, cause, see `phase_tracking.Tracked`      event_sat : the satellites
    they count
    """

    sat: SatArray
    trop_m: FloatArray
    iono_l1_m: FloatArray
    excess_m: FloatArray
    direct: BoolArray
    events: IndexArray
    event_sat: SatArray


@dataclass(frozen=True)
class ReceiverBlock:
    """Observations of consecutive epochs by system, and their truth.

    time_ns : (n_epoch,) tags, GPST      antenna_ecef, marker_ecef : (n_epoch, 3) when sampled
    """

    time_ns: TimeArray
    antenna_ecef: FloatArray
    velocity_mps: FloatArray
    marker_ecef: FloatArray
    clock_s: FloatArray
    systems: list[SystemBlock]
    truth: list[SystemTruth]


@dataclass(frozen=True)
class _Hardware:
    """Delays of a receiver for one system: (n_sat, n_sig)."""

    code_m: FloatArray
    phase_cycle: FloatArray


class Receiver:
    """A station or vehicle measuring its way through a run."""

    def __init__(self, world: World, given: Site | Vehicle) -> None:
        scenario = world.scenario
        self.given = given
        self._world = world
        self._track = track_of(scenario, given)
        self._interval_s = scenario.interval_of(given)
        n = scenario.n_epoch(given)
        offset_ns = np.rint(np.arange(n) * self._interval_s * NS_PER_S).astype(np.int64)
        self.time_ns: TimeArray = scenario.start_ns + offset_ns
        resets = given.clock_resets_s if isinstance(given, Site) else ()
        self._clock = clock_of(scenario.clocks, resets, offset_ns / NS_PER_S, self._stream("clock"))
        self._systems = [_SystemReceiver(self, world, system) for system in world.sat]

    def _stream(self, *names: str) -> Generator:
        return stream_of(self._world.scenario.run.seed, "receiver", self.given.name, *names)

    def blocks(self, span_s: float) -> Iterator[ReceiverBlock | None]:
        """The run in spans of so many seconds; None for a span without an epoch."""
        scenario = self._world.scenario
        edges = np.arange(0.0, scenario.run.duration_s + span_s, span_s) * NS_PER_S
        places = np.searchsorted(self.time_ns - scenario.start_ns, edges)
        places[-1] = len(self.time_ns)
        for first, last in itertools.pairwise(places):
            yield self._block(slice(first, last)) if last > first else None

    def _block(self, part: slice) -> ReceiverBlock:
        tags = self.time_ns[part]
        clock = ReceiverClock(self._clock.offset_s[part], self._clock.drift[part])
        time_s = (tags - self._world.scenario.start_ns) / NS_PER_S - clock.offset_s
        antenna = SampledAntenna(
            self._track.antenna_at(time_s),
            self._track.velocity_at(time_s),
            clock.offset_s,
            clock.drift,
        )
        heading = self._track.heading_at(time_s)
        made = [one.block(tags, antenna, heading, time_s) for one in self._systems]
        return ReceiverBlock(
            time_ns=tags,
            antenna_ecef=antenna.ecef_m,
            velocity_mps=antenna.velocity_mps,
            marker_ecef=self._track.marker_at(time_s),
            clock_s=clock.offset_s,
            systems=[block for block, _ in made],
            truth=[truth for _, truth in made],
        )


class _SystemReceiver:
    """The channels of a receiver for one system, with what they remember between blocks."""

    def __init__(self, receiver: Receiver, world: World, system: int) -> None:
        scenario = world.scenario
        self._world, self._system = world, system
        self._given = receiver.given
        self._signals = world.signals[system]
        shape = self._signals.sent.shape
        name = str(system)
        interval_s = scenario.interval_of(receiver.given)
        self._disturbance = Disturbance(
            (scenario.multipath, scenario.noise),
            self._signals,
            (isinstance(receiver.given, Vehicle), interval_s),
            lambda purpose: receiver._stream(purpose, name),
        )
        self._tracker = Tracker(
            scenario.tracking, shape, interval_s, receiver._stream("tracking", name)
        )
        self._direct = np.ones(shape[0], dtype=bool)
        self._hardware = _hardware(scenario, system, self._signals, receiver._stream("bias", name))

    def block(
        self, tags: TimeArray, antenna: SampledAntenna, heading: FloatArray, time_s: FloatArray
    ) -> tuple[SystemBlock, SystemTruth]:
        """Observations and truth at the tags of a block."""
        scenario, world = self._world.scenario, self._world
        motion = world.motion(self._system, tags)
        mask_rad = scenario.tracking.elevation_mask_deg * DEG
        columns = _above(motion, antenna, mask_rad - _MARGIN_RAD)
        rays = trace_rays(motion.of(columns), antenna)
        view = view_of(self._given, motion.sat[columns], rays, heading, time_s)
        zero = np.zeros_like(rays.range_m)
        trop = world.air.slant_m(antenna.ecef_m, rays, time_s) if world.air else zero
        iono = world.shell.slant_l1_m(antenna.ecef_m, rays, time_s) if world.shell else zero
        cn0 = strength_dbhz(self._signals, columns, rays.elevation_rad)
        cn0 = cn0 - view.loss_db[..., None]
        keeps = ~self._changes_way(columns, view.direct)
        seen: BoolArray = (view.open & keeps & (rays.elevation_rad >= mask_rad))[..., None]
        seen = seen & self._signals.sent[columns] & (cn0 >= scenario.tracking.cn0_min_dbhz)
        tracked = self._tracked(columns, seen, cn0)
        delays = (trop, iono, view.excess_m)
        rough = np.where(view.direct, 1.0, _ROUGHNESS)
        made = self._measure(columns, rays, antenna, (*delays, rough), cn0, tracked)
        made = [np.where(seen, values, np.nan) for values in made]
        block = SystemBlock(
            sat=motion.sat[columns],
            sig=self._signals.sig,
            code_m=made[0],
            phase_cycle=made[1],
            doppler_hz=made[2],
            cn0_dbhz=made[3],
            lli=np.where(seen, tracked.lli, 0).astype(np.uint8),
        )
        return block, self._truth(block, view, delays, tracked)

    def _changes_way(self, columns: IndexArray, direct: BoolArray) -> BoolArray:
        """Where a signal comes by another way than before: lock is lost for an epoch."""
        before = np.concatenate([self._direct[None, columns], direct[:-1]])
        self._direct[:] = True
        self._direct[columns] = direct[-1]
        changed: BoolArray = before != direct
        return changed

    def _tracked(self, columns: IndexArray, seen: BoolArray, cn0: FloatArray) -> Tracked:
        """Arcs of the satellites in view; the tracker knows all of them."""
        shape = (len(seen), *self._signals.sent.shape)
        everywhere, strength = np.zeros(shape, dtype=bool), np.full(shape, np.nan)
        everywhere[:, columns], strength[:, columns] = seen, cn0
        full = self._tracker.block(everywhere, strength)
        return Tracked(full.cycle[:, columns], full.lli[:, columns], full.events)

    def _measure(
        self,
        columns: IndexArray,
        rays: Rays,
        antenna: SampledAntenna,
        delays: tuple[FloatArray, ...],
        cn0: FloatArray,
        tracked: Tracked,
    ) -> list[FloatArray]:
        """Code [m], phase [cycle], Doppler [Hz], C/N0: each (n_epoch, n_sat, n_sig).

        delays : troposphere, ionosphere on L1, longer way [m], factor of the multipath
        """
        signals, trop = self._signals, delays[0]
        hertz = signals.hertz[columns]
        wavelength = _C / hertz
        clocks = _C * (antenna.clock_s[:, None] - rays.sat_clock_s)
        common = (rays.range_m + clocks + trop + delays[2])[..., None]
        iono = delays[1][..., None] * (_L1_HZ / hertz) ** 2
        code = common + iono + _C * signals.delay_s[columns] + self._hardware.code_m[columns]
        if signals.code_nodes_m is not None and self._world.scenario.biases.beidou2_code:
            code = code + at_elevation(signals.code_nodes_m[columns], rays.elevation_rad)
        phase = common - iono + self._hardware.phase_cycle[columns] * wavelength
        drifts = _C * (antenna.drift[:, None] - rays.sat_drift)
        rate = (rays.rate_mps * (1.0 - antenna.drift[:, None]) + drifts)[..., None]
        scenario = self._world.scenario
        made = [code, phase, np.broadcast_to(rate, code.shape).copy(), cn0.copy()]
        if scenario.multipath.on:
            factor = delays[3] * multipath_factor(rays.elevation_rad)
            self._disturbance.add_multipath(made, columns, factor)
        if scenario.noise.on:
            self._disturbance.add_thermal(made, columns, cn0)
        code, phase, rate, cn0 = made
        return [code, phase / wavelength + tracked.cycle, -rate / wavelength, cn0]

    def _truth(
        self,
        block: SystemBlock,
        view: View,
        delays: tuple[FloatArray, ...],
        tracked: Tracked,
    ) -> SystemTruth:
        seen = block.present
        trop, iono, excess = (np.where(seen, values, np.nan) for values in delays)
        sat = self._world.sat[self._system]
        return SystemTruth(
            sat=block.sat,
            trop_m=trop,
            iono_l1_m=iono,
            excess_m=excess,
            direct=view.direct & seen,
            events=tracked.events,
            event_sat=sat[tracked.events[:, 1]],
        )


def _above(motion: Motion, antenna: SampledAntenna, mask_rad: float) -> IndexArray:
    """Satellites over a mask at some epoch, from where they were about a signal's flight ago."""
    away = motion.value[..., :3] - antenna.ecef_m[:, None]
    up = local_axes(place_llh(antenna.ecef_m))[:, 2]
    height = np.einsum("esk,ek->es", away, up) / np.linalg.norm(away, axis=-1)
    return np.flatnonzero((height > np.sin(mask_rad)).any(axis=0))


def _hardware(scenario: Scenario, system: int, signals: SignalSet, rng: Generator) -> _Hardware:
    """Delays per signal, and for GLONASS per channel; the latter are lengths, alike for L1, L2."""
    given = scenario.biases
    n_sig = len(signals.sig)
    code = given.code_m * rng.standard_normal(n_sig)
    # Signals of one band are aligned in phase, as RINEX wants them.
    by_band = given.phase_cycle * rng.uniform(-1.0, 1.0, 10)
    phase = by_band[sig_band(signals.sig)]
    slopes = rng.standard_normal(2)
    shape = signals.sent.shape
    if not given.on:
        return _Hardware(np.zeros(shape), np.zeros(shape))
    code_m = np.tile(code, (shape[0], 1))
    # A delay in metres: in cycles it differs a little between the channels of GLONASS.
    phase_cycle = phase * signals.hertz / signals.hertz.mean(axis=0)
    if system == GLONASS:
        channel = signals.channel[:, None]
        code_m += given.glonass_code_m_per_channel * slopes[0] * channel
        shift_m = given.glonass_phase_m_per_channel * slopes[1] * channel
        phase_cycle = phase_cycle + shift_m / signals.wavelength_m
    return _Hardware(code_m, phase_cycle)
