"""Manifests that are not of a product's templates: files and pipes, and declared sources."""
