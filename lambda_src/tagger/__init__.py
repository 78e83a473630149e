"""The model as it answers: question, terms, scores, calibrated tags."""
