"""What `check` says, for people and for programs: one file a form. `verdict` weighs findings against what is to be ignored."""
