"""One file a question. Each has `run(session)` and answers with figures."""
