"""What Kustomize does to objects, repeated on nodes that remember where each value was written."""
