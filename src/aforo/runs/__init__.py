"""Computations over exact versions of datasets: the expressions, their lineage, and what runs them."""
