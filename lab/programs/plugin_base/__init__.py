"""What the lab's stand-ins for Pulumi's resource plugins have in common.

Pulumi's engine starts a stand-in like any resource plugin and drives it over the same protocol.
Each says in every run that it is one, and is left alone wherever the real plugin is installed.
"""
