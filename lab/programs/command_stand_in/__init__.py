"""A small stand-in for Pulumi's command plugin, for machines where that plugin can't be had.

It knows one resource, `command:remote:Command`, and behaves as the real plugin of its version
does; tests/engine/test_command_contract.py holds both to the same expectations.
"""

from lab.programs.plugin_base.launcher import StandIn

STAND_IN = StandIn("command", "1.2.1", __name__)
