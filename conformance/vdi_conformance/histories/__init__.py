"""Calls that overlap: recorded with their begin and end, and judged by whether some order of them is permitted."""
