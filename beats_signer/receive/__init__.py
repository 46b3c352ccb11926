"""Receive: listeners, TLS and sender identity, one session per connection."""
