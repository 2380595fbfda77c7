"""How hosts are started, heard and ended: forked from a warm process on Linux, one by one everywhere."""
