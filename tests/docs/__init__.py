"""Documents: sources of their figures, links, generated parts, examples."""
