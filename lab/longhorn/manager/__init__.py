"""The real longhorn-manager in the lab, where this machine has one and every node has a host.

Longhorn's own program then makes nodes.longhorn.io, judges the disks and takes itself apart at the
end, in place of lab.longhorn.manager_stand_in. It runs once in each host whose node has a pod of
the chart's DaemonSet, with that pod's command, environment and service account. What stays played
is what needs containers: the CSI driver's deployment and the volumes of claims. No program of
Longhorn's is shipped or fetched here: `longhorn-manager` is looked for on PATH.
"""
