"""Simulated observations with truth; its physics is written apart from the solver's."""
