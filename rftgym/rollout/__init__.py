"""From a policy and environments to trajectories."""
