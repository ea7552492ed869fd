"""Rules: each module adds one family of edges, by `add_*_edges(collector)` over one resource.
`planner.graph.build_graph` lists them."""
