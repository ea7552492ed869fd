"""The id of a plan, held to generated pairs of plans and to what the executor sends."""
