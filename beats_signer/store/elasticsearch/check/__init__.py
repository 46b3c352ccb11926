"""Look at a cluster before events are entrusted to it."""
