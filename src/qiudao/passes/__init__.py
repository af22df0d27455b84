"""From programs to better programs.  Each pass keeps the values, NaN and infinity included."""
