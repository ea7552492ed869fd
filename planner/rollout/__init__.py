"""The rollout of one commit as data: stages and times, evidence, verdicts, closeout record. Pure: reads no system."""
