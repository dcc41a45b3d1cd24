"""Our environments inside other frameworks: each module needs the package that it adapts to."""
