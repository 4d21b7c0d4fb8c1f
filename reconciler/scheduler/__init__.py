"""The scheduler's two endpoints: the client, what its answers mean, and the emulator that stands in for it."""
