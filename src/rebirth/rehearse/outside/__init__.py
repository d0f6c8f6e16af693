"""What the Flux controllers of a rehearsal find outside: charts, registries, Git hosts and files, under their real names."""
