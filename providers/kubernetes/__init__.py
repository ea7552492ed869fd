"""Objects of a Kubernetes cluster, live or saved: read, previewed, written and watched until they are ready."""
