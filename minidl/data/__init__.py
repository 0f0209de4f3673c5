"""How data gets into training: arrays as batches, folders of pictures as arrays."""
