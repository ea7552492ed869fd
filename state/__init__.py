"""Durable memory: what was applied, by which run, and who may write now. Holds no secret byte and knows no provider."""
