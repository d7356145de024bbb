"""A stand-in for the Rancher server: a test double, not Rancher.

It answers the few calls that this project makes, with the status codes and bodies that a
Rancher 2.8.5 was seen to give and, when it is told to play 2.13, the login path that came with
that version. It runs nothing: no Kubernetes inside, no user interface, no agent tunnel.

It says what it is in the first lines of its log, in the header `X-Lab-Stand-In` of every answer
and in the label `lab.stand-in` of its image. The modules that run inside the image (everything
but `image` and `agent`) need only Python's standard library and the `openssl` command.
"""
