"""Questions about a gradient: why it is none, zero, not finite or extreme; its terms."""
