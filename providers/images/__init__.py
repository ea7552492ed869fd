"""RegistryImage: images in registries and OCI layouts, copied by digest or built."""
