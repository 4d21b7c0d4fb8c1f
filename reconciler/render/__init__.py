"""Plans, results and problems as text and JSON: pure functions from values to strings."""
