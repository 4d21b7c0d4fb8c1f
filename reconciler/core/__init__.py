"""The pure core: windows, calls, ledgers, requests and the planner. No I/O, no clock, no randomness."""
