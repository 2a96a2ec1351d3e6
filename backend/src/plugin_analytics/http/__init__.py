"""Meet callers: parse, ask a service, encode; the frame has checked who calls."""
