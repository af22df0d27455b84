"""The explained graph as one self-contained HTML page."""
