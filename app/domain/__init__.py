"""What things are: their rules and forms, without input or output."""
