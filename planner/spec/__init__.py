"""The models of the configuration and of hwplan's own kinds: strict, frozen, documented by their descriptions.

They describe a CI/CD control plane in general (products, nodes, lanes, remotes, images, secrets); no product is known
here. What a product needs beyond that stands under `values:` and is only seen by its templates.
"""
