"""An OCI runtime in front of runc for machines that lack one of the kernel's capabilities."""
