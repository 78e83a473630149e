"""The gate: whether a challenger may replace the champion, on questions that neither has seen."""
