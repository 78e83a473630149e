"""Events of the event store in the formats of other monitoring tools."""
