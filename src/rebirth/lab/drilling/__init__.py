"""What a drill asks of the lab."""
