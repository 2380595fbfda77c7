"""An implementation of VDI of our own: a broker (names, shared memory, who is alive), servers and clients.

Each is a process. What they may do is decided by pure code (rules, buffers, devices, state, server_state,
broker); the broker, the segments and the ABIs towards clients and servers do nothing but I/O.
"""
