"""The reference model: what a set, its clients and its server may answer, by the documents alone. Pure."""
