"""What decides while a run goes on: verdicts by requirement, known failures, and the exit code; pure."""
