"""The data of the lab's volumes: files, and the pods of Jobs that write and read them.

kwok runs no container, so nobody would ever touch a volume. Here a volume is a sparse file of its
size, and a Job's pod that mounts a claim of Longhorn's runs its command with that file mounted. A
pod's own image is not played: its command runs with this machine's programs. Neither are replicas,
attachments, NFS and encryption: one file is the whole volume, and it holds what was written in
clear.
"""
