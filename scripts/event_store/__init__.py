"""What an operator does with the event store: read events from the log again, erase predictions."""
