"""The scalar type of the physical layer and the few conversion factors it needs."""

import jax

Scalar = float | jax.Array
"""A number or a traced array of any shape the caller batches over."""

S_PER_H = 3600.0
H_PER_YEAR = 8760.0
H_PER_MONTH = H_PER_YEAR / 12
KW_PER_MW = 1e3
W_PER_MW = 1e6
MMBTU_PER_MWH_PER_BTU_PER_KWH = 1e-3  # a heat rate of 10,000 Btu/kWh burns 10 MMBtu for each MWh
