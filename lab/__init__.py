"""A disposable target on one machine: SSH hosts with blank disks, a Kubernetes API, Docker."""
