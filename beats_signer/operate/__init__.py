"""Operate: logs, and the HTTP that people and monitors ask."""
