"""A living cluster, as it is: what is not Ready and why, with the words' meaning and the line in the repository."""
