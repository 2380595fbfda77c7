"""Verdicts over client applications, from what broker and server of the emulator see of them."""
