"""Results and the rules that judge them: numpy and scipy only, no model in sight."""
