"""Scoring in batches: trajectories that were just played, and answers saved in a file."""

from rftgym.scoring.answers import score
from rftgym.scoring.batch import check_error_share, score_trajectories

__all__ = ["check_error_share", "score", "score_trajectories"]
