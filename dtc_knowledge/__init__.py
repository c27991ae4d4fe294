"""Code tables, fault graph, root-cause patterns and repair plans: data files and their reader."""
