"""Rules by subject, each told what happens to the sets of client applications."""
