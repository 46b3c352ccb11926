"""Receive Beats events, seal them in a signed chain, store them, acknowledge.

The way of one event: ``receive.session`` -> ``lumberjack.Connection`` ->
``Batch`` -> ``sign.sequencer`` -> ``chain.seal`` -> ``sign.journal`` ->
``store.append`` -> receipt -> ``receive.session`` -> ack.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
