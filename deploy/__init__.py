"""What it takes to run the agent. Only `deploy.demo` holds Python; nothing of it is shipped."""
