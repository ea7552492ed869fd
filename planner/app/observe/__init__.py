"""`hwplan observe`: asks the Prometheus of a node, or the canned answers of a sandbox. Changes nothing."""
