"""A product's `schema.yaml` as models and rules. Knows no product; imports the models, so it is loaded lazily."""
