"""A Corefile, read as CoreDNS reads it, and rejected where CoreDNS would."""
