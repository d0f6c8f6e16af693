"""What a castle uses of the world outside beyond what the lab makes itself: what was fetched, and charts on paper for the rest."""
