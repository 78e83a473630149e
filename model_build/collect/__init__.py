"""Collect the questions of a site: from its API, from Data Explorer, or from its dump.

Every source ends in the same place: a folder with one Parquet file per month, which
`model_build.corpus` reads.
"""
