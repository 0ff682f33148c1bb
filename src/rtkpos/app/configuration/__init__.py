"""`rtkpos config`: the configuration of a run, explained."""
