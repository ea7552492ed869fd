"""What a gate, an image, a remote and a store may be, whatever the product."""
