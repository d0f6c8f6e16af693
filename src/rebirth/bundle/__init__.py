"""An archive for a bug report: what a maintainer needs to see, and nothing secret."""
