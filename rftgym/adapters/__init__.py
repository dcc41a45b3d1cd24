"""Our environments inside other frameworks: a module needs the package that it is called after."""
