"""``indexer demo``: anvil, a Gemforce-like diamond and tokens with live traffic and reorgs, and the proof at the end."""
