"""Renderers: thin functions from one view model to text. They read plans and graphs, not the world, and decide nothing.

Everything of outside origin passes through `planner.text_safe` on its way to a reader.
"""
