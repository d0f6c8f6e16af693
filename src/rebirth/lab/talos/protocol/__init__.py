"""The Talos API on the wire: its messages, and a server that speaks gRPC over mutual TLS."""
