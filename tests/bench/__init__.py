"""The benchmarks: our figures beside those of the peers, from one interleaved run.

Not a test suite: nothing here fails a build. `python -m tests.bench` prints ratios.
"""
