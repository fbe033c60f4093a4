"""Benchmarks of record: what the package claims of its results and their cost, measured again."""
