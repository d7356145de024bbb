"""Backups of Rancher's own data."""
