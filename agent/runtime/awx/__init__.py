"""Playing remediations with an AWX or Automation Controller, by its REST API."""
