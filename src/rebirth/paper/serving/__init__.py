"""What pods on paper answer, and how the API server comes to ask them."""
