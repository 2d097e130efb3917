"""Pictures of computational graphs and networks, drawn with graphviz."""
