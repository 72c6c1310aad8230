"""The shop floor: the state of workers, tickets and queues as one pytree, and the one tick that advances it."""
