"""The corpus: hand-written Java methods and classes with right and wrong Python translations, and their inputs."""
