"""Everything computed: plain frozen values in, plain frozen values out. Also the public Python API (no Django here)."""
