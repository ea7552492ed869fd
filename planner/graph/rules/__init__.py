"""Rules: each module draws one family of edges, as `draw(pen)` over one resource. `planner.graph.build_graph` lists
them."""
