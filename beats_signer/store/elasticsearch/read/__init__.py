"""Read back: chains as they stand in a cluster, complete or not at all."""
