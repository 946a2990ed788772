"""How much memory a model needs, and on which GPUs it fits."""
