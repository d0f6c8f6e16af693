"""`rebirth init`: a castle.yaml of what is there, of what is answered, and of what is assumed and said to be."""
