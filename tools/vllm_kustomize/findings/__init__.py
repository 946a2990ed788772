"""What becomes of problems: located, quoted, merged, accepted by someone, or reported."""
