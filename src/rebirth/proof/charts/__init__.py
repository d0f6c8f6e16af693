"""From a chart to the objects it makes: rendered where it is on disk, else what is known of it (known/)."""
