"""Where Flux starts, and what has been done before it."""
