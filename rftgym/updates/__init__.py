"""What trainers share: episodes as tensors, log-probabilities of their tokens, learning-rate schedules."""
