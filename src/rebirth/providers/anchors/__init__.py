"""What outlives a castle: the archive, and what is kept of the systems that hold something."""
