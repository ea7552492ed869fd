"""Where secret values come from: files, the environment, live Secrets, the state."""
