"""Policy: what a security or platform team asks of every pod."""
