"""Sign: the sequencer, its keys and journal, and the catalogue's writer."""
