"""YAML text to requests, with file, line and column for everything that is wrong."""
