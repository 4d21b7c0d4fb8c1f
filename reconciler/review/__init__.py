"""Who approved a rerun."""
