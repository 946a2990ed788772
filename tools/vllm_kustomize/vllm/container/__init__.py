"""How a container comes to run vLLM: command, shell, environment, files and user."""
