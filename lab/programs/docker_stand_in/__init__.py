"""A small stand-in for Pulumi's docker plugin, for machines where that plugin can't be had.

It knows what the program declares on a Docker engine (RemoteImage, Volume, Container) and does it
on a real one, as the real plugin of its version does. tests/engine/test_docker_contract.py holds
both to the same expectations.
"""

from lab.programs.plugin_base.launcher import StandIn

STAND_IN = StandIn("docker", "5.1.0", __name__)
