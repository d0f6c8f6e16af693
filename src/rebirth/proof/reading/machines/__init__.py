"""Machine configurations beside a repository: who generates them, and what they ask of the cluster."""
