"""The machine this runs on: memory, threads, devices, and which optional libraries are there."""
