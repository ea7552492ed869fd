"""From live values of fields to a patch of the configuration: the key that feeds each is found by rendering again."""
