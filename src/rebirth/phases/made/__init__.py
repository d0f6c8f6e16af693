"""What phases write into machines and the cluster: made of the castle alone, so that the proof reads the same."""
