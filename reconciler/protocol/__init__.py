"""The apply protocol: intent, call, outcome, against ports that the state and scheduler packages fill."""
