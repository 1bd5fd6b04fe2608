"""Data sets that load by name: where each comes from, its checksum, its reader."""
