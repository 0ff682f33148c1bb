"""Speed and memory: steps, whole commands, reading, live latency, first run."""
