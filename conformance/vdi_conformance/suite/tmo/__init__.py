"""Checks of TMO: serverTimeOut."""
