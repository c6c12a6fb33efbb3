"""Reports write a `Result` in one format each; they judge nothing. `registry` names them."""
