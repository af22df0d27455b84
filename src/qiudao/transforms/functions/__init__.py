"""Operations that the user states with their derivative, as classes: `qd.Function`."""
