"""What a person meets at the terminal besides the words: options, the live view, and how a bug of ours is said."""
