"""What the runtime tells those who watch a computation: events, traces, a progress bar."""
