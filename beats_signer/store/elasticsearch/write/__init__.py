"""Write: seals and their entries by bulk, each item confirmed."""
