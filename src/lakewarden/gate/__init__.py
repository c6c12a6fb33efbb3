"""May one model version become another stage's? The chain from the version to its commit, checked by the rules of an audit."""
