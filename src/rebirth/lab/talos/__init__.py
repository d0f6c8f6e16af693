"""A stand-in for a machine that runs Talos: the Talos API in front, the real parts of Kubernetes behind.

Speaks the published API (checked with the real talosctl) and obeys the machine configuration when it starts etcd, the control
plane, containerd, kubelet and kube-proxy. Those run as plain processes here, where Talos runs some of them as static pods.
"""
