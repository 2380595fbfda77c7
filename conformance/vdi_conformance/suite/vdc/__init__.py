"""Checks of VDC: VDC_Read."""
