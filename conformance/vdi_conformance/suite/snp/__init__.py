"""Checks of SNP: snapshot."""
