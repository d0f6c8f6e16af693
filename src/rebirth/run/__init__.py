"""Make it so: what a phase is, what has been made true, and the engine that runs what is ready."""
