"""Drills: a castle destroyed, created and verified, N times, in the lab with faults, or for real."""
