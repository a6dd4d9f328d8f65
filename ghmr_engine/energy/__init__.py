"""Energies over a person's motion and the solver that lowers them: what lift, world and refine have in common."""
