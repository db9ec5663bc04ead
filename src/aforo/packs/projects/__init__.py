"""What the modules of a project (a wedding) tell of themselves, and the metrics that its dashboard reads."""

PACK = "projects"
STREAM = "project_events"
