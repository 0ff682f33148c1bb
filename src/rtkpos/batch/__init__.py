"""Many runs: jobs of a process or a cluster, tables shared, what is done kept on record."""
