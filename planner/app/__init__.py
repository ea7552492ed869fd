"""The composition root: wires loading, graph, providers, state, planning and executor for one operation each.

The only importer of providers/ and state/. One module per operation; no decision about a resource is made here.
"""
