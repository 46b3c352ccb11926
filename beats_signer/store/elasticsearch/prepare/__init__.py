"""Prepare a cluster: templates, policies, roles."""
