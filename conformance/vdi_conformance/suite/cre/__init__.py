"""Checks of CRE: CreateEx."""
