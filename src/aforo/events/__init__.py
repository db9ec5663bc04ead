"""What arrives: typed, named, checked, and taken or refused with a reason."""
