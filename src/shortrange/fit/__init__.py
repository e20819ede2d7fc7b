"""Parameters, likelihood and fits: what a model's nuisance parameters are, given the data."""
