"""The fault catalogue: what can go wrong, what is done about it, and the tests that show it.

docs/reference/faults.md is written from here by `python tools/docs/make_fault_table.py`. Rows keep
the numbers of the catalogue; those not listed concern streams, networks and later parts.
"""

from __future__ import annotations

from dataclasses import dataclass

OBS = "tests/io/test_rinex_obs.py"
FAULTS = "tests/io/test_rinex_obs_faults.py"
QUIRKS = "tests/io/test_rinex_obs_quirks.py"
INPUTS = "tests/app/test_inputs.py"
CONTENT = "tests/io/test_content.py"
NAV = "tests/io/test_rinex_nav.py"
DAMAGE = "tests/io/test_rinex_nav_damage.py"
COMMAND = "tests/robustness/test_faults_command.py"
SIGNALS = "tests/robustness/test_faults_signals.py"
EPHEMERIS = "tests/core/test_ephemeris.py"
ALIGNMENT = "tests/prepare/test_alignment.py"
REAL_SIGNALS = "tests/real/test_signals.py"
SLIPS = "tests/prepare/test_slips.py"
CODES = "tests/app/test_exit_codes.py"
OPTIONS = "tests/app/test_solve_options.py"
RUN = "tests/solve/test_run.py"
ENGINE = "tests/solve/test_engine.py"
BASE = "tests/solve/test_base_check.py"
ANTENNAS = "tests/solve/test_antennas.py"
ANTEX = "tests/io/test_antex.py"
INJECTED = "tests/robustness/test_faults_injected.py"
SEARCH = "tests/core/test_integer_search.py"
KILLS = "tests/robustness/test_batch_kills.py"
BATCH = "tests/app/test_batch.py"
MANY = "tests/solve/test_many.py"
VERDICTS = ("normal", "skip", "degrade", "reset", "fail")


@dataclass(frozen=True)
class Fault:
    """One row: `verdict` names what happens, `tests` are (file, function) pairs."""

    number: int
    fault: str
    verdict: str
    done: str
    tests: tuple[tuple[str, str], ...]


FILES = (
    Fault(1, "input missing, unreadable, or a directory", "fail", "exit 2, the path is named", (
        (CONTENT, "test_missing_file_directory_and_empty_file"),
        (COMMAND, "test_directory_and_missing_file_are_input_errors"),
        (CODES, "test_missing_file_is_2"))),
    Fault(2, "file without content, or a header alone", "fail, degrade",
          "rover: exit 2; base: single positions, exit 4", (
        (FAULTS, "test_header_only_has_no_epochs"),
        (COMMAND, "test_rover_without_epochs_is_an_input_error"),
        (COMMAND, "test_base_without_epochs_degrades_to_single"))),
    Fault(3, "another kind of file, or a misleading name", "normal, fail",
          "content decides; a stranger is refused by what it holds", (
        (CONTENT, "test_strangers_are_named"),
        (CONTENT, "test_every_packing_gives_the_text"),
        (COMMAND, "test_content_counts_not_the_name"))),
    Fault(4, "file cut within a line or an epoch", "skip",
          "whole epochs stay, the byte offset is told, exit 4", (
        (FAULTS, "test_truncated_last_epoch_is_left_out"),
        (COMMAND, "test_cut_file_keeps_the_whole_epochs"))),
    Fault(5, "cut gzip, bzip2, .Z or CRINEX", "skip, fail with --strict",
          "what decoded stays, exit 4", (
        (CONTENT, "test_cut_gzip_keeps_what_decoded"),
        (CONTENT, "test_cut_crinex_keeps_the_epochs_before_the_cut"),
        (COMMAND, "test_cut_gzip_keeps_what_decoded"),
        (COMMAND, "test_cut_crinex_keeps_what_decoded"))),
    Fault(6, "blank lines, comments, NULs among the data", "skip",
          "the line alone is passed over", (
        (FAULTS, "test_blank_lines_and_comments_inside"),
        (FAULTS, "test_blank_lines_and_comments_inside_rinex_2"),
        (FAULTS, "test_trailing_nuls"),
        (COMMAND, "test_line_ends_blank_lines_and_nuls_change_nothing"))),
    Fault(7, "foreign line ends, byte order mark, bytes beyond ASCII", "normal, skip",
          "line ends are all read; a spoilt field is missing", (
        (FAULTS, "test_line_ends"),
        (FAULTS, "test_non_ascii_bytes_spoil_one_field"),
        (COMMAND, "test_line_ends_blank_lines_and_nuls_change_nothing"))),
    Fault(8, "satellite count of an epoch wrong", "normal, skip",
          "off by up to three: the whole lines up to the next epoch are kept, counted, exit 4; "
          "else at most this epoch is lost; nothing is allocated by the claim", (
        (QUIRKS, "test_a_count_off_by_up_to_three_costs_nothing"),
        (QUIRKS, "test_a_count_off_by_up_to_three_costs_nothing_in_rinex_2"),
        (QUIRKS, "test_whole_lines_of_a_last_epoch_are_kept"),
        (FAULTS, "test_wrong_count_costs_at_most_its_epoch"),
        (FAULTS, "test_wrong_count_costs_at_most_its_epoch_rinex_2"),
        (COMMAND, "test_wrong_satellite_count_costs_one_epoch"),
        ("tests/robustness/test_mutants.py", "test_memory_follows_the_input_not_the_claims"))),
    Fault(9, "line of 100 kB", "skip", "the line is passed over", (
        (FAULTS, "test_very_long_lines"),
        (COMMAND, "test_long_line_costs_nothing_but_itself"))),
    Fault(10, "header lists more or fewer observation types than it says", "normal, skip, fail",
          "kept with a warning where the records have the listed ones; else the system is left "
          "out; fail when none remains", (
        (QUIRKS, "test_records_decide_on_lists_of_another_length_than_announced"),
        (QUIRKS, "test_records_decide_on_lists_of_rinex_2"),
        (FAULTS, "test_wrong_number_of_observation_types_drops_the_system"),
        (FAULTS, "test_missing_continuation_of_types_drops_the_system"))),
    Fault(11, "unknown code, system or satellite number", "skip", "counted, the column is kept", (
        (FAULTS, "test_unknown_code_keeps_its_column"),
        (FAULTS, "test_unknown_satellites_are_counted"))),
    Fault(12, "satellite twice in an epoch", "skip",
          "one of two equal records; an empty one is nothing; none of two that differ", (
        (QUIRKS, "test_a_repeated_satellite_with_an_empty_record_is_nothing"),
        (QUIRKS, "test_a_record_with_one_other_value_costs_that_satellite"),
        (FAULTS, "test_duplicate_satellite"),)),
    Fault(13, "epoch twice", "skip", "the credible one is kept and the other counted", (
        (QUIRKS, "test_another_epoch_under_the_same_tag_is_dropped_with_one_warning"),
        (FAULTS, "test_duplicate_epochs"),
        (FAULTS, "test_a_tag_damaged_by_seconds_does_not_push_out_the_true_epoch"),
        (COMMAND, "test_epochs_twice_and_out_of_order_give_the_same"))),
    Fault(14, "epochs out of order", "normal", "sorted, with a warning", (
        (FAULTS, "test_epochs_out_of_order_are_sorted"),
        (COMMAND, "test_epochs_twice_and_out_of_order_give_the_same"))),
    Fault(15, "time goes back by hours", "reset", "a new session starts there", (
        (FAULTS, "test_time_going_back_by_hours_starts_a_session"),
        (FAULTS, "test_files_put_behind_each_other_keep_their_own_headers"))),
    Fault(16, "power failure flag", "reset", "every ambiguity of the receiver is reset", (
        (FAULTS, "test_power_failure_flag"),
        (SLIPS, "test_power_failure_restarts_every_ambiguity"))),
    Fault(17, "events with header lines between epochs", "normal, reset",
          "new types are applied, marks passed on, several in an interval", (
        (FAULTS, "test_events_between_epochs"),
        (FAULTS, "test_header_event_changes_the_observation_types"),
        (FAULTS, "test_event_that_claims_too_many_lines_stops_at_the_next_epoch"))),
    Fault(18, "cycle slip records", "reset", "slips are marked; they are no observations", (
        (FAULTS, "test_cycle_slip_records_mark_and_are_no_observations"),
        (FAULTS, "test_cycle_slip_records_of_rinex_2"))),
    Fault(19, "loss-of-lock bits 0, 1, 2 on any band", "reset",
          "slip; half cycle kept out of fixing; ignored", (
        (OBS, "test_all_loss_of_lock_bits_and_blank_fields"),
        (SLIPS, "test_loss_of_lock_bit"),
        (SLIPS, "test_half_cycle_bit_starting_and_ending"))),
    Fault(20, "phase blank, zero, or wrapped by 1e9 cycles", "skip, reset",
          "missing; a wrap is a slip of that signal", (
        (OBS, "test_all_loss_of_lock_bits_and_blank_fields"),
        (SIGNALS, "test_phase_that_wraps_at_a_thousand_million_cycles_is_a_slip"))),
    Fault(21, "odd spellings of numbers", "normal, skip",
          "D exponents are read, the rest missing", (
        (FAULTS, "test_odd_numbers"),)),
    Fault(22, "header position zero or 100 km off", "normal", "it plays no role for the rover", (
        (OBS, "test_position_zero_is_no_position"),
        ("tests/estimate/test_code_position.py",
         "test_wrong_a_priori_positions_lead_to_the_same_place"),
        (COMMAND, "test_header_position_of_the_rover_plays_no_role"))),
    Fault(23, "RINEX versions mixed among the inputs", "normal, fail",
          "2, 3 and 4 together; others are refused by number", (
        (FAULTS, "test_unknown_version"),
        (COMMAND, "test_versions_may_differ_among_the_inputs"))),
    Fault(24, "phase shifts unknown between unlike signals", "degrade",
          "measured in the file and taken out by quarters; else not compared with each other", (
        (ALIGNMENT, "test_what_is_known_of_two_codes"),
        (ALIGNMENT, "test_pairs_and_groups"),
        (REAL_SIGNALS, "test_a_quarter_cycle_left_in_the_base_is_taken_out"),
        (SIGNALS, "test_unlike_tracking_codes_of_one_band_are_paired_or_left_out"),
        (SLIPS, "test_changed_tracking_code_restarts_the_ambiguity"))),
    Fault(25, "GLONASS channel missing or contradicted", "skip",
          "taken from the ephemeris, else its phases are left out and the satellite is named", (
        (RUN, "test_glonass_channels_come_from_headers_and_ephemerides"),
        (REAL_SIGNALS, "test_satellites_without_a_channel_are_left_out_and_named"))),
    Fault(26, "rover and base track unlike codes of a band", "normal, degrade",
          "paired by band, told in the summary", (
        (REAL_SIGNALS, "test_codes_that_the_header_aligns_are_fixed_together"),
        (ALIGNMENT, "test_pairs_and_groups"),
        (SIGNALS, "test_unlike_tracking_codes_of_one_band_are_paired_or_left_out"),)),
    Fault(73, "one epoch as several records of equal time", "normal",
          "their satellites and signals are one epoch, told once", (
        (QUIRKS, "test_records_of_equal_time_are_one_epoch"),
        (QUIRKS, "test_records_of_equal_time_in_rinex_2"),
        (QUIRKS, "test_records_of_equal_time_in_two_files_of_one_receiver"))),
    Fault(74, "columns shifted by blanks lost or added", "skip",
          "values that are not where the format has them are not read; one sentence, exit 4", (
        (QUIRKS, "test_shifted_columns_are_never_read"),
        (QUIRKS, "test_shifted_columns_of_rinex_2_are_never_read"))),
    Fault(75, "epoch line with a blank more or less", "normal", "read word by word", (
        (QUIRKS, "test_epoch_lines_with_a_blank_more_or_less"),)),
    Fault(76, "end-of-file marks 0x1A of joined files", "normal", "they are nothing", (
        (QUIRKS, "test_stray_end_of_file_marks_are_nothing"),
        (DAMAGE, "test_end_of_file_marks_of_old_systems_cost_no_record"))),
    Fault(77, "header labels cut or unknown", "normal, skip",
          "a cut label that can only be one is read; all are counted, the first is named", (
        (QUIRKS, "test_unknown_and_cut_labels_are_named"),)),
    Fault(78, "signals under the names of a converter or an older version", "normal",
          "read, and told what as what; BeiDou 1C by its carrier", (
        (QUIRKS, "test_codes_of_converters"),
        (QUIRKS, "test_beidou_1c_is_named_by_its_carrier"),
        (QUIRKS, "test_altboc_of_galileo_is_read"))),
    Fault(79, "rover and base among the ROVER words", "normal, fail",
          "ROVER BASE NAV is understood where they are two receivers; never one rover", (
        (INPUTS, "test_rover_base_nav_in_the_order_of_rnx2rtkp"),
        (INPUTS, "test_base_that_begins_later_or_is_packed"),
        (INPUTS, "test_files_of_one_receiver_stay_one_rover"),
        (INPUTS, "test_two_receivers_are_never_one_rover"))),
)  # fmt: skip

TIMES = (
    Fault(27, "one ephemeris set several times", "normal",
          "the latest transmission, whatever the order of files", (
        (DAMAGE, "test_latest_transmission_wins_and_conflicts_are_counted"),
        (NAV, "test_merging_files_removes_repetitions_whatever_their_order"),
        (EPHEMERIS, "test_nearest_toe_wins_across_a_week_boundary_and_ties_are_settled"))),
    Fault(28, "Galileo I/NAV and F/NAV side by side", "normal",
          "one message serves a satellite, with its own clock", (
        (EPHEMERIS, "test_one_message_type_serves_a_satellite_for_the_whole_table"),
        (DAMAGE, "test_galileo_message_health_and_napa"))),
    Fault(29, "ephemerides too old", "degrade, fail",
          "satellite left out with the reason; exit 3 when all are", (
        (EPHEMERIS, "test_codes_for_none_and_too_old"),
        (RUN, "test_navigation_data_of_another_day_are_told"),
        (COMMAND, "test_navigation_of_another_day_is_no_solution"))),
    Fault(30, "unhealthy satellite, no accuracy prediction", "skip",
          "a newer unhealthy set overrides an older healthy one", (
        (EPHEMERIS, "test_an_unhealthy_set_on_the_air_overrides_a_nearer_healthy_one"),
        (DAMAGE, "test_gps_health_and_accuracy"),
        (DAMAGE, "test_galileo_message_health_and_napa"))),
    Fault(31, "an ephemeris parameter missing or absurd", "skip",
          "the record is rejected by range", (
        (DAMAGE, "test_absurd_or_mixed_records_are_dropped_and_counted"),
        (COMMAND, "test_unhealthy_and_absurd_records_are_left_out"))),
    Fault(32, "parameters of two issues in one record", "skip",
          "rejected by issue numbers, times, or a jump of the orbit", (
        (DAMAGE, "test_absurd_or_mixed_records_are_dropped_and_counted"),
        (EPHEMERIS, "test_orbit_jump_marks_the_odd_record_and_no_manoeuvre"))),
    Fault(33, "the ephemeris changes between epochs", "normal",
          "one issue for both receivers; below 1 cm in a difference", (
        ("tests/physics/test_satellites.py",
         "test_switching_the_ephemeris_moves_a_10_km_difference_below_1_cm"),)),
    Fault(34, "BeiDou orbit classes by number go stale", "normal", "from the elements", (
        (NAV, "test_orbit_classes_come_from_the_elements"),)),
    Fault(35, "week rollovers, reference times at the ends of a week", "normal", "full times", (
        (DAMAGE, "test_week_rollovers_and_year_ends_are_whole_times"),
        ("tests/gnss/test_time.py", "test_week_round_trip_is_exact_to_the_millisecond"))),
    Fault(36, "leap seconds missing in table or header", "normal",
          "GPST inside; UTC output warns beyond the table", (
        ("tests/gnss/test_time.py", "test_before_the_first_step_and_beyond_the_table"),
        ("tests/io/test_outputs_nmea.py", "test_utc_beyond_the_table_warns"))),
    Fault(37, "files in GLONASS, BeiDou, UTC or unknown time", "normal, fail",
          "converted; an unknown system is refused", (
        (OBS, "test_time_systems_become_gpst"),
        (COMMAND, "test_time_system_that_is_unknown_is_refused"))),
    Fault(38, "time tags with noise below a microsecond", "normal", "matched by tolerance", (
        (OBS, "test_epoch_tags_keep_their_resolution"),
        (SIGNALS, "test_noise_of_the_time_tags_is_no_difference"),
        (COMMAND, "test_tags_with_noise_find_their_base_epoch"))),
    Fault(39, "receiver clock jumps of milliseconds", "normal",
          "no slip, ambiguities kept, for code alone and for code with phase", (
        (SLIPS, "test_millisecond_jump_of_the_code_alone_is_repaired"),
        (INJECTED, "test_millisecond_jumps_are_no_slips"),
        (SIGNALS, "test_millisecond_jumps_of_code_and_phase_keep_the_fix"))),
    Fault(40, "receiver clock tens of milliseconds off", "normal",
          "the code position's clock corrects the time", (
        (SIGNALS, "test_clock_many_milliseconds_off_and_drifting_keeps_the_fix"),)),
    Fault(41, "day and year ends, leap days", "normal", "integers since 1980", (
        ("tests/gnss/test_time.py", "test_calendar_agrees_with_datetime_1980_to_2099"),
        ("tests/io/test_rinex_obs_kernels.py", "test_days_equal_the_calendar"))),
    Fault(42, "precise orbits end before the observations", "degrade",
          "never extrapolated: missing outside their span", (
        ("tests/core/test_precise_orbit.py", "test_outside_the_span_is_never_extrapolated"),
        ("tests/core/test_precise_orbit.py", "test_gap_of_epochs_is_missing"))),
    Fault(80, "epochs dated 1024 weeks early", "normal",
          "read with the week of the others, told with their number", (
        (QUIRKS, "test_epochs_of_a_wrong_rollover_get_the_week_of_the_others"),)),
    Fault(81, "files exactly whole weeks apart", "fail",
          "told in words beside the missing overlap", (
        (RUN, "test_files_whole_weeks_apart_are_told"),)),
    Fault(82, "dates that do not exist", "normal, fail",
          "a day up to 31 beyond its month is carried over, exit 4; others are shown", (
        (QUIRKS, "test_a_day_beyond_its_month_is_carried_over"),
        (QUIRKS, "test_dates_that_do_not_exist_are_told_in_words"))),
)  # fmt: skip

SKY = (
    Fault(43, "fewer than 4 common satellites, or a constellation lost", "degrade",
          "the others go on; with too few no fix, and none is extrapolated", (
        (INJECTED, "test_lost_constellation_leaves_the_others_and_three_satellites_nothing"),
        (RUN, "test_few_common_satellites_degrade_and_never_extrapolate_a_fix"),
        (RUN, "test_lost_constellation_does_not_stop_the_others"))),
    Fault(44, "the reference satellite sets or slips", "normal",
          "the filter has none; the integers take the next one", (
        (INJECTED, "test_reference_satellite_sets_or_slips_without_loss_of_the_fix"),)),
    Fault(45, "codes off by 5-100 m on 1-3 satellites", "skip",
          "rejected by the robust fit; the ambiguities stay", (
        (INJECTED, "test_code_outliers_are_left_out_and_cost_no_ambiguity"),
        (SLIPS, "test_code_outliers_are_rejected"))),
    Fault(46, "a slip of some or half a cycle that nobody tells of, a phase outlier", "reset",
          "that band alone; half a cycle that stays is kept out of fixing", (
        (INJECTED, "test_unmarked_slip_resets_its_band_alone"),
        (INJECTED, "test_half_cycle_that_stays_is_kept_out_of_fixing"),
        (INJECTED, "test_wide_lane_finds_what_neither_metres_nor_geometry_show"),
        (INJECTED, "test_no_fault_makes_a_wrong_fix_of_seven_gps_satellites"),
        (SLIPS, "test_unmarked_slip_on_one_band"))),
    Fault(47, "slips of the whole sky", "reset", "all ambiguities; fixed again in that epoch", (
        (INJECTED, "test_whole_sky_slips_cost_no_epoch"),
        (SLIPS, "test_slips_on_the_whole_sky_cost_no_wrong_epoch"))),
    Fault(48, "gaps of one sample, 10 s, 10 min", "normal, reset",
          "up to the limit nothing is lost; beyond it ambiguities are reset", (
        (INJECTED, "test_gap_costs_neither_an_ambiguity_nor_a_fix"),
        (INJECTED, "test_long_gap_restarts_and_its_length_is_reported"))),
    Fault(49, "half cycles unresolved at rover or base", "degrade",
          "out of fixing until both are resolved; a change is a slip", (
        (INJECTED, "test_half_cycles_are_out_of_fixing_until_resolved"),
        (SLIPS, "test_half_cycle_bit_starting_and_ending"))),
    Fault(50, "wrong integers in the filter", "degrade, reset",
          "refused where they leave the antenna's path; right again within 5 s", (
        (INJECTED, "test_wrong_integers_are_left_within_seconds"),
        (INJECTED, "test_filter_that_contradicts_its_phases_is_given_up"))),
    Fault(51, "covariance that is not positive definite", "degrade, reset", "never NaN", (
        (INJECTED, "test_bad_covariance_gives_no_nan_and_no_wrong_fix"),
        (SEARCH, "test_not_positive_definite"))),
    Fault(52, "adversarial integer search, near-singular, n = 100", "degrade",
          "the number of nodes is bounded; float", (
        (SEARCH, "test_node_bound_is_kept_and_reported"),
        (SEARCH, "test_near_singular_hundred_is_bounded"))),
    Fault(53, "C/N0 missing or zero", "normal", "weights by elevation", (
        (INJECTED, "test_missing_or_zero_signal_strengths_keep_the_fix"),
        (RUN, "test_missing_signal_strengths_do_not_matter"))),
    Fault(54, "all satellites as seen from 300 m away", "degrade",
          "not fixed at once: the antenna cannot have gone there", (
        (INJECTED, "test_everything_300_m_away_is_no_fix_at_once"),)),
    Fault(55, "poles, antimeridian, the earth's centre", "normal, fail",
          "right, or no position; never NaN with a status", (
        ("tests/core/test_geodesy.py", "test_round_trip_at_poles_and_date_line"),
        ("tests/core/test_geodesy.py", "test_no_position_near_the_centre_or_for_nan"),
        ("tests/estimate/test_code_position.py",
         "test_noise_free_truth_is_found_from_the_earths_centre"))),
)  # fmt: skip

BASES = (
    Fault(56, "base coordinates of another place", "normal, fail",
          "30 m: warning; 1 km: exit 2 unless forced; degrees for metres: exit 1", (
        (BASE, "test_another_place_is_an_error_unless_forced"),
        (BASE, "test_a_hundred_metres_are_a_warning"),
        (OPTIONS, "test_options_and_header_that_differ_are_reported"),
        (COMMAND, "test_base_coordinates_of_another_place_are_refused_unless_forced"))),
    Fault(57, "base coordinates missing", "fail, degrade",
          "exit 2; an average code position on request, marked relative", (
        (CODES, "test_no_base_coordinates_is_2_and_names_the_options"),
        (OPTIONS, "test_base_from_code_positions_marks_the_result_relative"),
        (COMMAND, "test_base_without_coordinates_needs_the_option"))),
    Fault(58, "no antenna model, or none with this radome", "normal, degrade",
          "a warning names the model that serves; the output says \"no PCO/PCV\"", (
        (ANTENNAS, "test_radome_that_is_missing_is_announced"),
        (ANTENNAS, "test_antenna_that_is_missing_leaves_no_pco_and_says_so"),
        (ANTEX, "test_damage_costs_one_antenna"),
        (RUN, "test_notes_name_frame_and_antenna_models"),
        (COMMAND, "test_result_names_frame_and_antenna_models"))),
    Fault(59, "antenna height applied twice or never", "normal",
          "coordinates are the marker's; each offset is applied exactly once", (
        (ANTENNAS, "test_offset_of_the_base_is_applied_exactly_once"),
        (ANTENNAS, "test_offset_of_the_rover_is_applied_exactly_once"),
        (ANTENNAS, "test_coordinates_of_the_antennas_use_no_offset"),
        (OPTIONS, "test_base_from_header_is_announced_and_is_the_marker"),
        (OPTIONS, "test_base_from_header_is_the_antenna_on_request"))),
    Fault(60, "frame of the base", "normal", "recorded in the output; nothing is transformed", (
        (RUN, "test_notes_name_frame_and_antenna_models"),
        (COMMAND, "test_result_names_frame_and_antenna_models"))),
    Fault(61, "base moves in mid-stream", "normal, reset",
          "small: followed; more than 1 m: ambiguities are reset", (
        (ENGINE, "test_small_move_of_the_base_keeps_the_fix_and_a_large_one_starts_anew"),)),
    Fault(62, "base every 30 s", "normal", "its last epoch serves up to the age limit", (
        (RUN, "test_base_every_30_s_serves_until_the_next_one"),)),
    Fault(63, "corrections grow old", "degrade", "beyond the limit single, with the reason", (
        (RUN, "test_base_gap_of_a_minute_gives_single_positions_and_a_new_fix"),
        (ENGINE, "test_old_corrections_age_and_then_stop"))),
    Fault(64, "base stops and returns", "degrade",
          "single meanwhile, then fixed again; the summary tells how long it took", (
        (INJECTED, "test_long_gap_restarts_and_its_length_is_reported"),
        ("tests/physics/test_accuracy.py", "test_outages_last_from_fix_to_fix"))),
)  # fmt: skip

RUNS = (
    Fault(71, "disk full, permission lost, killed in mid-run, SIGTERM", "fail",
          "a result has its name when it is whole, or not at all; the exit code tells", (
        (CODES, "test_unwritable_output_is_2_before_any_work"),
        (CODES, "test_interrupted_run_leaves_no_file"),
        (CODES, "test_sigterm_is_143"),
        (BATCH, "test_a_full_disk_fails_the_job_and_leaves_nothing"),
        (BATCH, "test_a_manifest_that_cannot_be_written_ends_the_batch"),
        (BATCH, "test_remnants_of_a_killed_process_are_removed"),
        (KILLS, "test_an_interrupted_batch_leaves_a_consistent_manifest"))),
    Fault(72, "batch of many baselines killed at any point", "normal, fail",
          "a restart skips what is done and gives the same bytes; a job that kills its process "
          "runs alone, then is quarantined: skipped, exit 4", (
        (KILLS, "test_killed_and_restarted_gives_the_same_bytes"),
        (KILLS, "test_killed_at_twenty_four_instants"),
        (KILLS, "test_killed_again_and_again_spares_the_innocent"),
        (KILLS, "test_a_job_that_kills_its_process_is_isolated_after_two_tries"),
        (BATCH, "test_lost_too_often_is_poison_and_stays_so"),
        (BATCH, "test_a_damaged_or_absent_manifest_costs_time_only"),
        (BATCH, "test_a_restart_does_what_changed_and_what_failed"),
        (MANY, "test_a_failure_is_the_result_of_its_job_alone"))),
)  # fmt: skip

SECTIONS = (
    ("Files and formats", FILES),
    ("Ephemerides and time", TIMES),
    ("Signals and geometry", SKY),
    ("Base station", BASES),
    ("Runs", RUNS),
)
PREFACE = """# Faults and what is done about them

Written by `python tools/docs/make_fault_table.py` from `tests/robustness/fault_table.py`; a test
keeps it current. Verdicts: **normal** = handled, nothing is lost; **skip** = the smallest unit is
dropped and counted; **degrade** = a result of lower, stated quality; **reset** = the states
concerned are reset; **fail** = one sentence and an exit code. Never a wrong fix, silence, a hang or
a traceback.

Exit codes: 0 done, 1 wrong usage, 2 unusable input, 3 no solution, 4 partial, 5 internal error.

Beside these single faults, thousands of randomly damaged files are read and solved in every test
run (`tests/robustness/test_mutants.py`), and any number by
`python tools/mutate_files.py --count 100000`.
What 70 faults of observations, clocks and filter do to pieces of six recordings is tabled by
`python bench/faults.py` in [bench/results/faults.md](../../bench/results/faults.md).
"""


def as_markdown() -> str:
    """The text of docs/reference/faults.md."""
    parts = [PREFACE]
    for title, faults in SECTIONS:
        parts += [f"\n## {title}\n", "| # | fault | verdict | what happens | tested by |"]
        parts.append("|---|---|---|---|---|")
        for row in faults:
            names = (f"`{file.removeprefix('tests/')}::{name}`" for file, name in row.tests)
            where = "<br>".join(names)
            parts.append(f"| {row.number} | {row.fault} | {row.verdict} | {row.done} | {where} |")
    return "\n".join(parts) + "\n"
