"""What is kept of compiled kernels: trusted files with a checksum, plain data inside."""
