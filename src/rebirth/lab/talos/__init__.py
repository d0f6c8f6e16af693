"""Machines that run the real machined of Talos in container mode, without Docker: their root file system, and how they boot."""
