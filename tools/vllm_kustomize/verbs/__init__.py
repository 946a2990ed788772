"""What can be done with an overlay besides validating it: each module gives one answer, as data."""
