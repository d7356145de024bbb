"""A stand-in for the Rancher server: a test double, not Rancher.

It answers the few calls that this project makes, with the status codes and bodies that a
Rancher 2.8.5 was seen to give and, when it is told to play 2.13, the login path that came with
that version. It runs nothing: no Kubernetes inside, no user interface, no agent tunnel. Not played
either are users beside the admin, roles, catalogs, and registries with a password. It can go where
every machine that runs the tests has Rancher's own image; until then
tests/unit/lab/test_rancher_contract.py compares it with what a real server answered, and
tests/engine/test_rancher_contract.py a real server with the same record.

It says what it is in the first lines of its log, in the header `X-Lab-Stand-In` of every answer
and in the label `lab.stand-in` of its image. The modules that run inside the image (everything
but `image` and `agent`) need only Python's standard library and the `openssl` command.
"""
