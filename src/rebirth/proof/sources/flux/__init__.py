"""What objects of Flux, charts and the API server's own rules say."""
