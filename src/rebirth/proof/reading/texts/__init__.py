"""What a text says by itself, whatever file it is: the lines of YAML, the rules of .gitignore."""
