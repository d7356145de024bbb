"""`make status`: how the storage of a stack is, read from its cluster."""
