"""Facts: rows of a small relational model, the same for what is declared, deployed and observed."""
