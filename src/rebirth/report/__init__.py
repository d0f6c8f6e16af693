"""Where the time went: the timeline of a run, read from its events."""
