"""Rules: each module draws one family of edges, as `draw(collector)` over one resource. `planner.graph.build_graph`
lists them."""
