"""Logs of real fleets: requests sent through a simulated cluster, attempts of agents turned into habits."""
