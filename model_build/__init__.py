"""From raw questions to a released model."""
