"""Let properties take the time that a busy machine needs."""

from hypothesis import settings

settings.register_profile("chain", deadline=None)
settings.load_profile("chain")
