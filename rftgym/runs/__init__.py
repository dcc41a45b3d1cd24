"""The run directory: everything that a run leaves behind, each file whole or not there at all."""
