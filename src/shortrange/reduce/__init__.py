"""Raw measurements to mu(E), chi(k), S(Q) and G(r), with covariance."""
