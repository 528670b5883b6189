"""What a message must be: pure checks of the generated messages, which a client can make too.

Nothing here imports anything else of the server, so that the command line ships it without one.
"""
