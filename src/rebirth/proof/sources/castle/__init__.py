"""What castle.yaml, phases, machine configurations and what is applied by hand say."""
