"""The monitor: joins predictions with feedback and says how good the model is, day by day."""
