"""What Longhorn's own programs would do in the lab, where no container ever runs.

A stand-in, for the lab only. A chart is installed, Longhorn's own or the lab's, but kwok merely
reports its pods as running: nobody would create the objects that longhorn-manager,
longhorn-driver-deployer, the CSI provisioner and the uninstall job create. This package does, as
far as a program that installs Longhorn can see it: settings, nodes and their disks, the
StorageClass, the CSI driver, volumes for claims with what is written to them, backups in an object
store and volumes from them, and the uninstallation. Replicas hold no data. Rules are those of
Longhorn 1.5.3.
"""
