"""What talosctl and machines say, and what a person may do about it."""

# What a person may do, by the words of talosctl and of the machine.
ADVICE = {
    r"has expired or is not yet valid": "Compare the clocks of this machine and of that one (`talosctl time`), and their time servers.",
    r"unknown authority": "It was configured by another castle, or this one's credentials in the produced folder are lost: "
    "reset the machine, or `rebirth destroy`, then `rebirth create`.",
    r"PermissionDenied": "The talosconfig in the produced folder has not the rights of an administrator: put the one back that create wrote.",
    r"no space left on device": "A disk is full, here or of the machine: make room, or give the machine a larger disk.",
    r"InvalidArgument|unknown keys": "Check talos.version and the patches of castle.yaml.",
    r"Unimplemented": "Use the talosctl of talos.version.",
}
UNREACHABLE = (
    "connection refused",
    "i/o timeout",
    "deadline exceeded",
    "no route to host",
    "Unavailable",
    "EOF",
    "tls:",
    "reset by peer",
    "ResourceExhausted",
    "not supported for learner",  # a control plane that has joined etcd, and has not caught up yet
)
