"""Longhorn in Prometheus and Grafana."""
