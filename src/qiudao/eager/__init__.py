"""The values' face: making tensors, and gradients of computed values."""
