"""A machine's iron: namespaces, a root file system of its own over its disk, a first process, cgroups.

Nothing in here knows Talos; `rebirth.lab.talos` is what boots on it.
"""
