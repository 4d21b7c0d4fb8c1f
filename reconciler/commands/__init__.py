"""One verb a file: gathers, calls the core, acts."""
