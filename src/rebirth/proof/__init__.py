"""Can it finish? Reads everything that holds a dependency, makes one graph of it, and asks the rules."""
