"""The suite detects: each fault turns checks of the very rows red that it breaks, and nothing ends in error."""

import pkgutil
from importlib import import_module

import vdi_fixtures.broken

FAULTS = {
    module.name: import_module(f"vdi_fixtures.broken.{module.name}")
    for module in pkgutil.iter_modules(vdi_fixtures.broken.__path__)
}
TOPICS = ("GBH", "MBH", "CMP", "SEC", "BUF", "CFG", "OPD", "CMD", "IOE", "TMO", "VDC", "CLS", "ST", "ABT", "THR")
