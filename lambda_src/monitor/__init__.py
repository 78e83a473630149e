"""The scheduled watch over the model: joins predictions with feedback and measures quality."""
