"""Plans, results and problems as text, Markdown and JSON: pure functions from values to strings."""
