"""Lists what makes a tree hard to read: class names with two meanings, modules in no layer, modules that are crumbs."""
