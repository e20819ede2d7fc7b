"""Pure array numerics that several stages share: windows, Fourier and sine kernels, bands, splines."""
