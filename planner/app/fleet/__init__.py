"""What `hwplan fleet` does: which shards there are, looking at them, and manifests that do so in a cluster."""
