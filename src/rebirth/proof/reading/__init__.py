"""From a repository to built objects: files, YAML, kustomize, variables, artifacts, clusters, scopes."""
