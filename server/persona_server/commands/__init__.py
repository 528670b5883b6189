"""The commands that the server adds to `persona`.

What a command needs of the server it imports when it runs: `persona --help` imports these modules,
and would wait for the store and gRPC.
"""
