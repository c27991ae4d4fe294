"""Records passed between the stages, the ports, and the tree of errors. Imports numpy and the standard library only."""
