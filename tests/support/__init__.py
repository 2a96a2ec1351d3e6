"""Real parts for tests: processes, servers and streams that several suites start."""
