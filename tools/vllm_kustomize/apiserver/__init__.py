"""What kube-apiserver rejects, a module a family."""
