"""Systems outside, one file each. A provider makes no decision, keeps no state and does not try again."""
