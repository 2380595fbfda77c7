"""Checks across topics: deaths, races, calls in any order, and walks."""
