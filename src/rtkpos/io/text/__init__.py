"""Text and bytes: numbers, lines, decompression, atomic files, TOML."""
